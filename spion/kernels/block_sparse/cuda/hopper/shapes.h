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

/// Whether the backward pass has a way that adds up dQ in no fixed order; of sizes that it takes.
constexpr bool HasOnePass(int64_t block_size) { return block_size == 128; }

/// Floats of BlockSparseBackward::scratch.
inline int64_t BackwardScratchFloats(const BlockSparseProblem& problem, bool deterministic) {
  const int64_t rows = problem.batch * problem.heads * problem.length;
  if (!deterministic && HasOnePass(problem.block_size)) return (2 + problem.head_dim) * rows;
  return 2 * rows;
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SHAPES_H_
