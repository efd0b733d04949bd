// Which head of which example a thread block works on, where heads are rows of the grid: head
// blockIdx.y of example blockIdx.z.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_COMMON_HEADS_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_COMMON_HEADS_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/common/head_tensor.h"
#include "spion/kernels/cuda_tiles/valid_keys.cuh"

namespace spion::cuda {

/// Strides are below 2^32 elements: two multiplications of 32 bits.
template <typename T>
__device__ __forceinline__ T* HeadOf(const HeadTensor<T>& tensor) {
  return tensor.data + uint64_t{blockIdx.z} * static_cast<uint32_t>(tensor.batch_stride) +
         uint64_t{blockIdx.y} * static_cast<uint32_t>(tensor.head_stride);
}
__device__ __forceinline__ int64_t FirstRowOf(const BlockSparseProblem& problem) {
  return (int64_t{blockIdx.z} * problem.heads + blockIdx.y) * problem.length;
}
/// The head's first line in the schedule's arrays.
__device__ __forceinline__ int64_t FirstLineOf(const BlockPatternView& pattern) {
  return pattern.patterns == 1 ? 0 : int64_t{blockIdx.y} * pattern.blocks_per_side;
}
__device__ __forceinline__ tiles::ValidKeys ValidKeysOf(const BlockSparseProblem& problem) {
  return {problem.padding, static_cast<int32_t>(problem.length), static_cast<int32_t>(blockIdx.z)};
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_COMMON_HEADS_CUH_
