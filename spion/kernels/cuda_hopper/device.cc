#include "spion/kernels/cuda_hopper/device.h"

#include "spion/kernels/cuda_launch/device_attribute.h"

namespace spion::cuda::hopper {

bool IsCurrentDevice() {
  int major = 0;
  int minor = 0;
  return ReadAttribute(cudaDevAttrComputeCapabilityMajor, major) == cudaSuccess &&
         ReadAttribute(cudaDevAttrComputeCapabilityMinor, minor) == cudaSuccess && major == 9 &&
         minor == 0;
}

}  // namespace spion::cuda::hopper
