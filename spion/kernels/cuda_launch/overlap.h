// Programmatic dependent launch: a kernel that begins while the one before it on the stream ends.
#ifndef SPION_KERNELS_CUDA_LAUNCH_OVERLAP_H_
#define SPION_KERNELS_CUDA_LAUNCH_OVERLAP_H_

#include <cuda_runtime.h>

#include <cstddef>
#include <type_traits>

#include "spion/kernels/cuda_launch/device_attribute.h"

namespace spion::cuda {

/// Whether the current GPU has it.
inline cudaError_t CanOverlapKernels(bool& can) {
  constexpr int kHopper = 9;
  int major = 0;
  const cudaError_t error = ReadAttribute(cudaDevAttrComputeCapabilityMajor, major);
  can = major >= kHopper;
  return error;
}

/// Starts a kernel; if it `overlaps`, before the one before it has ended: it must then call
/// tiles::WaitForKernelBefore, and until then touch nothing that kernels still under way may write,
/// and write nothing that they touch. Those are the kernel before and, where that lets its
/// successor begin before it has waited itself, the one before that, too.
template <class... Parameters>
cudaError_t StartKernel(void (*kernel)(Parameters...), dim3 grid, unsigned threads,
                        size_t shared_bytes, cudaStream_t stream, bool overlaps,
                        std::type_identity_t<Parameters>... parameters) {
  cudaLaunchAttribute attribute = {};
  attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attribute.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config = {};
  config.gridDim = grid;
  config.blockDim = dim3(threads);
  config.dynamicSmemBytes = shared_bytes;
  config.stream = stream;
  config.attrs = &attribute;
  config.numAttrs = overlaps ? 1 : 0;
  return cudaLaunchKernelEx(&config, kernel, parameters...);
}

/// The same, of a kernel that overlaps where the GPU can.
template <class... Parameters>
cudaError_t StartOverlapping(void (*kernel)(Parameters...), dim3 grid, unsigned threads,
                             size_t shared_bytes, cudaStream_t stream,
                             std::type_identity_t<Parameters>... parameters) {
  bool overlaps = false;
  const cudaError_t error = CanOverlapKernels(overlaps);
  if (error != cudaSuccess) return error;
  return StartKernel(kernel, grid, threads, shared_bytes, stream, overlaps, parameters...);
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_CUDA_LAUNCH_OVERLAP_H_
