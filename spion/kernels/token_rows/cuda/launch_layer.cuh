// Launches a kernel of encoder_layer.h.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_LAUNCH_LAYER_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_LAUNCH_LAYER_CUH_

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "spion/kernels/cuda_launch/overlap.h"
#include "spion/kernels/token_rows/cuda/launch_sum_parts.cuh"
#include "spion/kernels/token_rows/cuda/layer_blocks.h"

namespace spion::cuda {

template <class Call>
cudaError_t LaunchLayer(void (*kernel)(Call), const Call& call, int64_t most_blocks,
                        int shared_bytes, cudaStream_t stream) {
  const cudaError_t error =
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes);
  if (error != cudaSuccess) return error;
  const auto blocks = static_cast<unsigned>(LayerBlocks(call.rows, most_blocks));
  return StartOverlapping(kernel, blocks, kLayerThreads, static_cast<size_t>(shared_bytes), stream,
                          call);
}

/// And adds up what the thread blocks leave.
/// Place: where in the gradients each of their sums is.
template <class Gradients, class Place, class Call>
cudaError_t LaunchLayerSums(void (*kernel)(Call), const Call& call, int shared_bytes,
                            cudaStream_t stream) {
  static_assert(Gradients::kFloats % kPartColumns == 0);
  const cudaError_t error = LaunchLayer(kernel, call, kLayerSumBlocks, shared_bytes, stream);
  if (error != cudaSuccess) return error;
  return SumParts<Place>(call.scratch, LayerBlocks(call.rows, kLayerSumBlocks), Gradients::kFloats,
                         call.grad_parameters, stream);
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_LAUNCH_LAYER_CUH_
