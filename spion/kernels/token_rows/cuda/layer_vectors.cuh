// Vectors of parameters in shared memory.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_LAYER_VECTORS_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_LAYER_VECTORS_CUH_

#include "spion/kernels/cuda_tiles/instructions.cuh"
#include "spion/kernels/token_rows/cuda/layer_blocks.h"

namespace spion::cuda {

/// By all threads of the block; a barrier must follow.
__device__ __forceinline__ void CopyVector(const float* from, int count, float* to) {
  for (int i = static_cast<int>(threadIdx.x); i < count; i += kLayerThreads) to[i] = from[i];
}

/// Before it, a kernel of a layer reads parameters alone, and writes nothing: the kernel before it
/// may be under way. The next one may begin from here on.
__device__ __forceinline__ void BeginWithRows() {
  tiles::WaitForKernelBefore();
  tiles::LetNextKernelStart();
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_LAYER_VECTORS_CUH_
