// What the one pass for Hopper (one_pass.cuh) takes, and what it keeps in scratch. Host code
// without CUDA.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ONE_PASS_PLAN_H_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ONE_PASS_PLAN_H_

#include <algorithm>
#include <cstdint>

#include "spion/kernels/block_sparse/problem.h"

namespace spion::cuda::hopper {

struct OnePassPlan {
  /// A row is taken up with a column of the head so many later.
  int32_t heads_behind;
  /// How often the heads of all patterns have room for their dS: heads wait for those
  /// rounds * patterns before them.
  int32_t rounds;
  // In scratch, after two floats a row; bytes from its start.
  int64_t counters_at;
  int64_t blocks_at;
  int64_t bytes;
};

/// Of dS of a kept block, 128 x 128 numbers of 16 bits.
constexpr int64_t kScoreBlockBytes = int64_t{128} * 128 * 2;

/// Of 32 bits: one for all, two of each head of each example.
constexpr int64_t OnePassCounters(const BlockSparseProblem& problem) {
  return 1 + 2 * problem.batch * problem.heads;
}

inline OnePassPlan PlanOnePass(const BlockSparseProblem& problem) {
  // Columns that are taken up between a head's last one and its first row, so that nobody waits:
  // more than the 132 that a GPU works on at once. And between that row and the first column that
  // takes its head's place.
  constexpr int64_t kColumnsBehind = 200;
  constexpr int64_t kColumnsOfRoom = 200;
  constexpr int64_t kAlignment = 1024;
  const BlockPatternView& pattern = problem.pattern;
  const int64_t n = pattern.blocks_per_side;
  const int64_t pairs = problem.batch * problem.heads;
  const auto heads_of = [n](int64_t columns) { return (columns + n - 1) / n; };
  const int64_t behind = std::min(heads_of(kColumnsBehind), pairs);
  const int64_t heads = std::min(behind + 1 + heads_of(kColumnsOfRoom), pairs);
  const int64_t rounds = (heads + pattern.patterns - 1) / pattern.patterns;
  const int64_t counters_at = 2 * pairs * problem.length * static_cast<int64_t>(sizeof(float));
  const int64_t counters_end =
      counters_at + OnePassCounters(problem) * static_cast<int64_t>(sizeof(uint32_t));
  const int64_t blocks_at = (counters_end + kAlignment - 1) / kAlignment * kAlignment;
  return {.heads_behind = static_cast<int32_t>(behind),
          .rounds = static_cast<int32_t>(rounds),
          .counters_at = counters_at,
          .blocks_at = blocks_at,
          .bytes = blocks_at + rounds * pattern.room * kScoreBlockBytes};
}

/// Whether it takes the backward pass of a problem that hopper takes: in blocks of 128, whose dS is
/// to be no more than a gigabyte at a time.
inline bool TakesOnePass(const BlockSparseProblem& problem) {
  constexpr int64_t kMostBytes = int64_t{1} << 30;
  return problem.block_size == 128 && problem.pattern.room > 0 &&
         PlanOnePass(problem).bytes <= kMostBytes;
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ONE_PASS_PLAN_H_
