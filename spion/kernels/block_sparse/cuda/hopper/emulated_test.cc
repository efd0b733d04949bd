// The kernels for Hopper on the CPU, held against the oracle. Launches are as plan.h has them.
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "spion/kernels/block_sparse/cuda/common/emulated_suite.h"
#include "spion/kernels/block_sparse/cuda/hopper/atomic_pass.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/atomic_pass_rows.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/emulated_warpgroups.h"
#include "spion/kernels/block_sparse/cuda/hopper/one_pass.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/one_pass_plan.h"
#include "spion/kernels/block_sparse/cuda/hopper/one_pass_statistics.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/plan.h"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/pattern/block_pattern.h"
#include "spion/testing/attention_case.h"
#include "spion/testing/pattern_zoo.h"
#include "spion/testing/seed.h"

namespace spion::cuda {
namespace {

/// The same forward pass, and the backward pass that computes P once.
template <typename T, int kHeadDim>
struct OnePass : Warpgroups<T, kHeadDim, 128> {
  static void Backward(const BlockSparseBackward<T>& call) {
    using Traits = hopper::OnePassTraits<kHeadDim>;
    const BlockSparseProblem& problem = call.problem;
    const int64_t rows = problem.batch * problem.heads * problem.length;
    constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> statistics(rows * 2, kNan);
    std::vector<uint32_t> counters(hopper::OnePassCounters(problem), 12345);
    constexpr int kRounds = 2;  // few, so that heads wait for room
    std::vector<uint4> blocks(kRounds * problem.pattern.room * hopper::kScoreBlockBytes /
                              sizeof(uint4));
    std::memset(blocks.data(), 0xff, blocks.size() * sizeof(uint4));
    const hopper::OnePassArguments<T> arguments = {
        .call = call,
        .statistics = {statistics.data(), statistics.data() + rows},
        .exchange = {.blocks = reinterpret_cast<char*>(blocks.data()),
                     .counters = counters.data(),
                     .heads_behind = 1,
                     .rounds = kRounds},
        .q = Map<kHeadDim>(call.q, Traits::kQueries),
        .k = Map<kHeadDim>(call.k, Traits::kBlock),
        .v = Map<kHeadDim>(call.v, Traits::kBlock),
        .grad_out = Map<kHeadDim>(call.grad_out, Traits::kQueries),
        .half_k = Map<kHeadDim>(call.k, hopper::kGroupRows)};
    RunKernel({.grid = {static_cast<unsigned>(rows / hopper::kStatisticsRows<kHeadDim>), 1, 1},
               .threads = hopper::kStatisticsThreads,
               .seed = TestSeed(6)},
              [&] { hopper::OnePassStatisticsKernel<T, kHeadDim>(arguments); });
    constexpr int kThreadBlocks = 3;
    RunKernel({.grid = {kThreadBlocks, 1, 1},
               .threads = Traits::kThreads,
               .shared_bytes = hopper::SharedBytes<Traits>(),
               .seed = TestSeed(5),
               .resident = kThreadBlocks},
              [&] { hopper::OnePassKernel<T, kHeadDim>(arguments); });
  }
};

/// The same forward pass, and the backward pass that sums up dQ by atomics.
template <typename T>
struct AtomicPass : Warpgroups<T, 64, 128> {
  static void Backward(const BlockSparseBackward<T>& call) {
    constexpr int kHeadDim = 64;
    using Traits = hopper::AtomicPassTraits<kHeadDim>;
    const BlockSparseProblem& problem = call.problem;
    const int64_t rows = problem.batch * problem.heads * problem.length;
    std::vector<float> scratch(rows * (2 + kHeadDim), std::numeric_limits<float>::quiet_NaN());
    const hopper::AtomicPassArguments<T> arguments = {
        .call = call,
        .statistics = {scratch.data(), scratch.data() + rows},
        .grad_q_sums = scratch.data() + 2 * rows,
        .q = Map<kHeadDim>(call.q, Traits::kBlock),
        .k = Map<kHeadDim>(call.k, Traits::kBlock),
        .v = Map<kHeadDim>(call.v, Traits::kBlock),
        .grad_out = Map<kHeadDim>(call.grad_out, Traits::kBlock)};
    const EmulatedLaunch of_rows = {
        .grid = {static_cast<unsigned>(rows / hopper::kStatisticsRows<kHeadDim>), 1, 1},
        .threads = hopper::kStatisticsThreads,
        .seed = TestSeed(6)};
    RunKernel(of_rows, [&] { hopper::AtomicPassStatisticsKernel<T, kHeadDim>(arguments); });
    RunTeamsOf<Traits>(problem, [&] { hopper::AtomicPassKernel<T, kHeadDim>(arguments); });
    RunKernel(of_rows, [&] { hopper::AtomicPassGradQueriesKernel<T, kHeadDim>(arguments); });
  }
};

using AllKernels =
    testing::Types<ShortLines<BFloat16>, ShortLines<Float16>, Warpgroups<BFloat16, 32, 64>,
                   Warpgroups<Float16, 64, 64>, Warpgroups<BFloat16, 128, 64>,
                   Warpgroups<BFloat16, 64, 128>, Warpgroups<Float16, 128, 128>,
                   Warpgroups<BFloat16, 128, 128>, OnePass<BFloat16, 64>, OnePass<Float16, 128>,
                   AtomicPass<BFloat16>>;
INSTANTIATE_TYPED_TEST_SUITE_P(All, EmulatedTest, AllKernels);

using ShortLinesTest = EmulatedTest<ShortLines<Float16>>;

// Steps hold 16 blocks of a row and of a column at a time.
TEST_F(ShortLinesTest, TheDiagonalBlockComesLate) {
  const BlockPattern pattern = LateDiagonals(64);
  AttentionShape shape = ShapeOf(pattern, 1);
  shape.heads = 1;
  for (const CasePadding padding : {CasePadding::kNone, CasePadding::kLengths}) {
    Check({.inputs = MakeAttentionCase(shape, padding, 1, TestSeed(34)),
           .patterns = {pattern},
           .pruned = PrunedScore::kZero});
  }
}

using OnePassTest = EmulatedTest<OnePass<BFloat16, 64>>;

TEST_F(OnePassTest, HeadsWaitForRoom) {
  AttentionShape shape = ShapeOf(AllBlocks(2, 128), 2);
  shape.heads = 12;
  Check({.inputs = MakeAttentionCase(shape, CasePadding::kNone, 1, TestSeed(33)),
         .patterns = {AllBlocks(2, 128)},
         .pruned = PrunedScore::kExcluded});
}

TEST_F(OnePassTest, TakesAPatternAHead) {
  const std::vector<BlockPattern> patterns = {LongColumns(3, 128), FullAndBareRows(3, 128)};
  Check(
      {.inputs = MakeAttentionCase(ShapeOf(patterns[0], 3), CasePadding::kLengths, 1, TestSeed(32)),
       .patterns = patterns,
       .pruned = PrunedScore::kZero});
}

}  // namespace
}  // namespace spion::cuda
