// How many thread blocks of a kernel whose thread blocks stay are worth starting.
#ifndef SPION_KERNELS_CUDA_LAUNCH_MULTIPROCESSORS_H_
#define SPION_KERNELS_CUDA_LAUNCH_MULTIPROCESSORS_H_

#include <cuda_runtime.h>

namespace spion::cuda {

/// Of the current GPU.
inline cudaError_t CountMultiprocessors(int& count) {
  int device = 0;
  const cudaError_t error = cudaGetDevice(&device);
  if (error != cudaSuccess) return error;
  return cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device);
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_CUDA_LAUNCH_MULTIPROCESSORS_H_
