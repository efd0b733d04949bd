#include "spion/kernels/block_sparse/cuda/plan.h"

#include <bit>
#include <cstdint>

#include "spion/kernels/block_sparse/cuda/common/block.h"
#include "spion/kernels/block_sparse/cuda/hopper/shapes.h"
#include "spion/kernels/block_sparse/cuda/line/traits.h"
#include "spion/kernels/block_sparse/cuda/warp/traits.h"
#include "spion/kernels/common/head_dim.h"
#include "spion/kernels/common/number.h"

namespace spion::cuda {
namespace {

/// Returns f.operator()<kHeadDim, kBlock>().
template <class F>
auto DispatchSizes(const BlockSparseProblem& problem, F&& f) {
  return DispatchHeadDim(problem.head_dim, [&]<int kHeadDim>() {
    return DispatchBlock(problem.block_size,
                         [&]<int kBlock>() { return f.template operator()<kHeadDim, kBlock>(); });
  });
}

template <typename T>
bool GoesByLines(const BlockSparseProblem& problem) {
  if (sizeof(T) == sizeof(float) && problem.float32 == Float32Math::kExact) return false;
  return DispatchSizes(problem,
                       []<int kHeadDim, int kBlock>() { return kHasLines<T, kHeadDim, kBlock>; });
}

/// What a plan takes from the traits of a pass's kernel by lines.
struct LineSizes {
  int group_threads;
  int group_bytes;
  int long_groups;
};
template <class Traits, int kBlock>
constexpr LineSizes kLineSizes = {kGroupThreads<kBlock>, Traits::kGroupBytes, Traits::kLongGroups};

/// A thread block for each line: of several groups for the long ones, if a thread block bears them,
/// and of one for the others.
LaunchPlan PlanLines(const BlockSparseProblem& problem, const LineSizes& sizes,
                     int32_t long_lines) {
  const int32_t lines = problem.pattern.blocks_per_side;
  const int32_t shared_lines = sizes.long_groups > 1 ? long_lines : 0;
  LaunchPlan plan;
  const auto add = [&](int groups, int32_t first, int32_t count, bool overlaps) {
    if (count == 0) return;
    plan.Add({.kernel = {.design = Design::kLines,
                         .head_dim = static_cast<int>(problem.head_dim),
                         .block_size = static_cast<int>(problem.block_size),
                         .share = groups},
              .grid = {count, problem.heads, problem.batch},
              .threads = groups * sizes.group_threads,
              .shared_bytes = groups * sizes.group_bytes,
              .argument = first,
              .overlaps = overlaps});
  };
  add(sizes.long_groups, 0, shared_lines, false);
  add(1, shared_lines, lines - shared_lines, shared_lines > 0);
  return plan;
}

/// A warp for each unit, or for the long lines' units a thread block. A pass has one unit or two
/// (dQ; dK and dV) for `tiles` tiles of rows.
LaunchPlan PlanWarps(const BlockSparseProblem& problem, int tiles, int units_of_rows,
                     int ring_bytes, int32_t long_lines) {
  const int64_t units = units_of_rows * problem.block_size / (tiles * kChunk);
  LaunchPlan plan;
  plan.Add({.kernel = {.design = Design::kWarps,
                       .head_dim = static_cast<int>(problem.head_dim),
                       .block_size = 0,
                       .share = tiles},
            .grid = {ThreadBlocksPerHead(problem.pattern.blocks_per_side, long_lines, units),
                     problem.heads, problem.batch},
            .threads = kThreads,
            .shared_bytes = kWarps * ring_bytes,
            .argument = std::countr_zero(static_cast<uint64_t>(units))});
  return plan;
}

/// The tiles of a unit, and the ring of a pass's kernel with Traits<T, kHeadDim, tiles>.
struct WarpSizes {
  int tiles;
  int ring_bytes;
};
template <typename T, template <typename, int, int> class Traits>
WarpSizes WarpSizesOf(const BlockSparseProblem& problem) {
  return DispatchHeadDim(problem.head_dim, [&]<int kHeadDim>() -> WarpSizes {
    constexpr int kTiles = kMaxTiles<T, kHeadDim>;
    if (problem.block_size < kTiles * kChunk) return {1, Traits<T, kHeadDim, 1>::kRingBytes};
    return {kTiles, Traits<T, kHeadDim, kTiles>::kRingBytes};
  });
}

}  // namespace

template <typename T>
bool HasWarpgroups(const BlockSparseProblem& problem, Pass pass) {
  if (sizeof(T) != 2) return false;
  const hopper::Way way =
      pass == Pass::kForward ? hopper::ForwardWay(problem) : hopper::BackwardWay(problem);
  return way != hopper::Way::kNone;
}

template <typename T>
Design DesignOf(const BlockSparseProblem& problem, Pass pass, bool is_hopper) {
  if (is_hopper && HasWarpgroups<T>(problem, pass)) return Design::kWarpgroups;
  return GoesByLines<T>(problem) ? Design::kLines : Design::kWarps;
}

template <typename T>
LaunchPlan PlanForward(const BlockSparseProblem& problem) {
  const int32_t long_rows = problem.pattern.schedule.long_rows;
  if (GoesByLines<T>(problem)) {
    const LineSizes sizes = DispatchSizes(problem, []<int kHeadDim, int kBlock>() {
      return kLineSizes<LineForwardTraits<T, kHeadDim, kBlock>, kBlock>;
    });
    return PlanLines(problem, sizes, long_rows);
  }
  const WarpSizes sizes = WarpSizesOf<T, WarpForwardTraits>(problem);
  return PlanWarps(problem, sizes.tiles, 1, sizes.ring_bytes, long_rows);
}

template <typename T>
LaunchPlan PlanBackward(const BlockSparseProblem& problem) {
  const int32_t long_lines = problem.pattern.schedule.long_lines;
  if (GoesByLines<T>(problem)) {
    const LineSizes sizes = DispatchSizes(problem, []<int kHeadDim, int kBlock>() {
      return kLineSizes<LineBackwardTraits<T, kHeadDim, kBlock>, kBlock>;
    });
    return PlanLines(problem, sizes, long_lines);
  }
  const WarpSizes sizes = WarpSizesOf<T, WarpBackwardTraits>(problem);
  return PlanWarps(problem, sizes.tiles, 2, sizes.ring_bytes, long_lines);
}

template bool HasWarpgroups<Float16>(const BlockSparseProblem&, Pass);
template bool HasWarpgroups<BFloat16>(const BlockSparseProblem&, Pass);
template bool HasWarpgroups<float>(const BlockSparseProblem&, Pass);
template Design DesignOf<Float16>(const BlockSparseProblem&, Pass, bool);
template Design DesignOf<BFloat16>(const BlockSparseProblem&, Pass, bool);
template Design DesignOf<float>(const BlockSparseProblem&, Pass, bool);
template LaunchPlan PlanForward<Float16>(const BlockSparseProblem&);
template LaunchPlan PlanForward<BFloat16>(const BlockSparseProblem&);
template LaunchPlan PlanForward<float>(const BlockSparseProblem&);
template LaunchPlan PlanBackward<Float16>(const BlockSparseProblem&);
template LaunchPlan PlanBackward<BFloat16>(const BlockSparseProblem&);
template LaunchPlan PlanBackward<float>(const BlockSparseProblem&);

}  // namespace spion::cuda
