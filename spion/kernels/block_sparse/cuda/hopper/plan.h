// The launch of a kernel for Hopper. Host code without CUDA; Traits are the kernel's, of which this
// takes the constants of Teams and of the rings.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_PLAN_H_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_PLAN_H_

#include <algorithm>
#include <cstdint>

#include "spion/kernels/block_sparse/cuda/common/launch_plan.h"
#include "spion/kernels/block_sparse/problem.h"

namespace spion::cuda::hopper {

/// Shared memory of a kernel's thread blocks.
template <class Traits>
constexpr int SharedBytes() {
  constexpr uint32_t kMaxBytes = 227 * 1024;
  constexpr uint32_t kBytes =
      Traits::kTeams * (Traits::Rings::kBytes + Traits::Rings::kBarrierBytes) + Traits::kTurnBytes;
  static_assert(kBytes <= kMaxBytes);
  return static_cast<int>(kBytes);
}

/// A thread block an SM, or fewer if there are fewer units: Traits::kParts of every line of every
/// head, Traits::kTeams of them at a time for each thread block.
template <class Traits>
PlannedLaunch PlanTeams(const BlockSparseProblem& problem, int multiprocessors) {
  const int64_t units =
      problem.batch * problem.heads * problem.pattern.blocks_per_side * Traits::kParts;
  const int64_t blocks =
      std::min<int64_t>((units + Traits::kTeams - 1) / Traits::kTeams, multiprocessors);
  return {.kernel = {.design = Design::kWarpgroups,
                     .head_dim = static_cast<int>(problem.head_dim),
                     .block_size = static_cast<int>(problem.block_size),
                     .share = 1},
          .grid = {blocks, 1, 1},
          .threads = Traits::kThreads,
          .shared_bytes = SharedBytes<Traits>()};
}

/// A thread block for each line of each head; of a slice (../common/slices.h).
template <class Traits>
PlannedLaunch PlanShortLines(const BlockSparseProblem& problem) {
  return {.kernel = {.design = Design::kWarpgroups,
                     .head_dim = static_cast<int>(problem.head_dim),
                     .block_size = static_cast<int>(problem.block_size),
                     .share = 1},
          .grid = {problem.pattern.blocks_per_side, problem.heads, problem.batch},
          .threads = Traits::kThreads,
          .shared_bytes = Traits::kSharedBytes,
          .overlaps = true};
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_PLAN_H_
