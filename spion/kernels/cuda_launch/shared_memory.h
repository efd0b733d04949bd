// Asking for more shared memory than every kernel has.
#ifndef SPION_KERNELS_CUDA_LAUNCH_SHARED_MEMORY_H_
#define SPION_KERNELS_CUDA_LAUNCH_SHARED_MEMORY_H_

#include <cuda_runtime.h>

namespace spion::cuda {

/// Lets `kernel` be launched with `bytes` of dynamic shared memory; granted_bytes need no asking.
template <typename Kernel>
cudaError_t AllowSharedMemory(Kernel kernel, int bytes, int granted_bytes) {
  if (bytes <= granted_bytes) return cudaSuccess;
  return cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_CUDA_LAUNCH_SHARED_MEMORY_H_
