#include "spion/kernels/cuda_hopper/device.h"

#include <cuda_runtime_api.h>

namespace spion::cuda::hopper {

bool IsCurrentDevice() {
  int device = 0;
  int major = 0;
  int minor = 0;
  return cudaGetDevice(&device) == cudaSuccess &&
         cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) == cudaSuccess &&
         cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device) == cudaSuccess &&
         major == 9 && minor == 0;
}

}  // namespace spion::cuda::hopper
