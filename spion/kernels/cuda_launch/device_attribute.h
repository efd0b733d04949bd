// What the current GPU is like.
#ifndef SPION_KERNELS_CUDA_LAUNCH_DEVICE_ATTRIBUTE_H_
#define SPION_KERNELS_CUDA_LAUNCH_DEVICE_ATTRIBUTE_H_

#include <cuda_runtime_api.h>

namespace spion::cuda {

inline cudaError_t ReadAttribute(cudaDeviceAttr attribute, int& value) {
  int device = 0;
  const cudaError_t error = cudaGetDevice(&device);
  if (error != cudaSuccess) return error;
  return cudaDeviceGetAttribute(&value, attribute, device);
}

/// How many thread blocks of a kernel whose thread blocks stay are worth starting.
inline cudaError_t CountMultiprocessors(int& count) {
  return ReadAttribute(cudaDevAttrMultiProcessorCount, count);
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_CUDA_LAUNCH_DEVICE_ATTRIBUTE_H_
