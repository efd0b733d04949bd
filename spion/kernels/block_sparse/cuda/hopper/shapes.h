// What the kernels for Hopper are made for, and what they need. Host code without CUDA.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SHAPES_H_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SHAPES_H_

#include <cstdint>

#include "spion/kernels/block_sparse/problem.h"

namespace spion::cuda::hopper {

/// Whether a pass of a problem of 16-bit numbers is theirs.
inline bool TakesForward(const BlockSparseProblem& problem) {
  return (problem.head_dim == 64 || problem.head_dim == 128) &&
         (problem.block_size == 64 || problem.block_size == 128);
}
/// At head dimension 32 backward alone, and where lines keep some blocks: with two of 64 a line the
/// kernels by lines take 0.9 of their time, with seven 1.25, with all 1.5 (docs/performance.md).
inline bool TakesBackward(const BlockSparseProblem& problem) {
  if (TakesForward(problem)) return true;
  // Of a line, in the mean. Python's packed patterns have room for up to twice the blocks that are
  // kept, so there it may be two.
  constexpr int64_t kLeastBlocks = 4;
  const BlockPatternView& pattern = problem.pattern;
  return problem.head_dim == 32 && problem.block_size == 64 &&
         pattern.room >= kLeastBlocks * pattern.patterns * pattern.blocks_per_side;
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
