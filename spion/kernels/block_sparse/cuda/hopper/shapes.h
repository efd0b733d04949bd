// What the kernels for Hopper are made for, and what they need. Host code without CUDA.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SHAPES_H_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SHAPES_H_

#include <cstdint>

#include "spion/kernels/block_sparse/problem.h"

namespace spion::cuda::hopper {

/// Whether there are such kernels for these sizes, of 16-bit numbers.
constexpr bool Takes(int64_t head_dim, int64_t block_size) {
  return (head_dim == 64 || head_dim == 128) && (block_size == 64 || block_size == 128);
}

/// Floats of BlockSparseBackward::scratch.
inline int64_t BackwardScratchFloats(const BlockSparseProblem& problem) {
  return 2 * problem.batch * problem.heads * problem.length;
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SHAPES_H_
