// What the kernels for Hopper are made for, and what they need. Host code without CUDA.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SHAPES_H_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SHAPES_H_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/hopper/one_pass_plan.h"
#include "spion/kernels/block_sparse/problem.h"

namespace spion::cuda::hopper {

/// Which of their kernels a pass takes: kTeams stay on the GPU and walk the schedule (teams.cuh);
/// kShortLines are a thread block a line (short_lines.cuh).
enum class Way { kNone, kTeams, kShortLines };

// Of problems of 16-bit numbers.

inline bool HasWideTeams(const BlockSparseProblem& problem) {
  return (problem.head_dim == 64 || problem.head_dim == 128) &&
         (problem.block_size == 64 || problem.block_size == 128);
}
/// Long lines are left to groups of warps that share them (../line).
inline bool HasShortLines(const BlockSparseProblem& problem, int32_t long_lines) {
  return problem.head_dim == 32 && problem.block_size == 64 && long_lines == 0;
}

inline Way ForwardWay(const BlockSparseProblem& problem) {
  if (HasWideTeams(problem)) return Way::kTeams;
  const int32_t long_rows = problem.pattern.schedule.long_rows;
  return HasShortLines(problem, long_rows) ? Way::kShortLines : Way::kNone;
}
inline Way BackwardWay(const BlockSparseProblem& problem) {
  if (HasWideTeams(problem)) return Way::kTeams;
  // Of a line, in the mean. Python's packed patterns have room for up to twice the blocks that are
  // kept, so there it may be six.
  constexpr int64_t kLeastBlocks = 12;
  const BlockPatternView& pattern = problem.pattern;
  if (problem.head_dim == 32 && problem.block_size == 64 &&
      pattern.room >= kLeastBlocks * pattern.patterns * pattern.blocks_per_side) {
    return Way::kTeams;
  }
  return HasShortLines(problem, pattern.schedule.long_lines) ? Way::kShortLines : Way::kNone;
}

/// Whether the backward pass has a way that adds up dQ in no fixed order: where it is faster than
/// the one that does.
constexpr bool HasAtomicPass(int64_t head_dim, int64_t block_size) {
  return head_dim == 64 && block_size == 128;
}

/// Floats of BlockSparseBackward::scratch.
inline int64_t BackwardScratchFloats(const BlockSparseProblem& problem, bool deterministic) {
  if (BackwardWay(problem) != Way::kTeams) return 0;
  const int64_t rows = problem.batch * problem.heads * problem.length;
  if (!deterministic && HasAtomicPass(problem.head_dim, problem.block_size)) {
    return (2 + problem.head_dim) * rows;
  }
  if (TakesOnePass(problem)) {
    return PlanOnePass(problem).bytes / static_cast<int64_t>(sizeof(float));
  }
  return 2 * rows;
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SHAPES_H_
