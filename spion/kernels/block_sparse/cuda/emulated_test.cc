// The device code itself, run on the CPU by spion/kernels/cuda_emulation and held against the
// oracle: what a machine without a GPU can say about the kernels. Launches are as launch.cuh and
// line/launch.cuh make them.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <type_traits>

#include "gtest/gtest.h"
#include "spion/kernels/block_sparse/cuda/common/emulated_suite.h"
#include "spion/kernels/block_sparse/cuda/line/backward.cuh"
#include "spion/kernels/block_sparse/cuda/line/forward.cuh"
#include "spion/kernels/block_sparse/cuda/warp/backward.cuh"
#include "spion/kernels/block_sparse/cuda/warp/forward.cuh"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/reference/attention.h"
#include "spion/testing/attention_case.h"
#include "spion/testing/pattern_zoo.h"
#include "spion/testing/seed.h"
#include "spion/testing/tolerance.h"

namespace spion::cuda {
namespace {

EmulatedIndex Grid(int64_t x, const BlockSparseProblem& problem) {
  return {static_cast<unsigned>(x), static_cast<unsigned>(problem.heads),
          static_cast<unsigned>(problem.batch)};
}

/// `run(groups, first_rank, lines)`, of the long lines by kGroups groups and of the others by one.
template <int kGroups, class Run>
void RunLines(int32_t lines, int32_t long_lines, Run&& run) {
  const int32_t in_groups = kGroups > 1 ? long_lines : 0;
  if (in_groups > 0) run(std::integral_constant<int, kGroups>(), 0, in_groups);
  if (lines > in_groups) run(std::integral_constant<int, 1>(), in_groups, lines - in_groups);
}

/// The kernels of line/.
template <typename T, int kHeadDim, int kBlock>
struct Lines {
  using Element = T;
  static constexpr int kHeadDimension = kHeadDim;
  static constexpr int kBlockSize = kBlock;

  static void Forward(const BlockSparseForward<T>& call) {
    using Traits = LineForwardTraits<T, kHeadDim, kBlock>;
    const BlockPatternView& pattern = call.problem.pattern;
    RunLines<Traits::kLongGroups>(
        pattern.blocks_per_side, pattern.schedule.long_rows,
        [&](auto groups, int32_t first_rank, int32_t lines) {
          RunKernel({.grid = Grid(lines, call.problem),
                     .threads = groups * kGroupThreads<kBlock>,
                     .shared_bytes = groups * Traits::kGroupBytes,
                     .seed = TestSeed(1)},
                    [&] { LineForwardKernel<T, kHeadDim, kBlock, groups>(call, first_rank); });
        });
  }
  static void Backward(const BlockSparseBackward<T>& call) {
    using Traits = LineBackwardTraits<T, kHeadDim, kBlock>;
    const BlockPatternView& pattern = call.problem.pattern;
    RunLines<Traits::kLongGroups>(
        pattern.blocks_per_side, pattern.schedule.long_lines,
        [&](auto groups, int32_t first_rank, int32_t lines) {
          RunKernel({.grid = Grid(lines, call.problem),
                     .threads = groups * kGroupThreads<kBlock>,
                     .shared_bytes = groups * Traits::kGroupBytes,
                     .seed = TestSeed(2)},
                    [&] { LineBackwardKernel<T, kHeadDim, kBlock, groups>(call, first_rank); });
        });
  }
};

/// The kernels of warp/.
template <class Math, int kHeadDim, int kBlock, int kTiles>
struct Warps {
  using Element = typename Math::Element;
  static constexpr int kHeadDimension = kHeadDim;
  static constexpr int kBlockSize = kBlock;

  static void Forward(const BlockSparseForward<Element>& call) {
    const BlockPatternView& pattern = call.problem.pattern;
    Run(call.problem, pattern.schedule.long_rows, kBlock / (kTiles * kChunk),
        ForwardTraits<Math, kHeadDim, kTiles>::kRingBytes,
        [&](int log2_units) { ForwardKernel<Math, kHeadDim, kTiles>(call, log2_units); });
  }
  static void Backward(const BlockSparseBackward<Element>& call) {
    const BlockPatternView& pattern = call.problem.pattern;
    Run(call.problem, pattern.schedule.long_lines, 2 * kBlock / (kTiles * kChunk),
        BackwardTraits<Math, kHeadDim, kTiles>::kRingBytes,
        [&](int log2_units) { BackwardKernel<Math, kHeadDim, kTiles>(call, log2_units); });
  }

 private:
  template <class Kernel>
  static void Run(const BlockSparseProblem& problem, int32_t long_lines, int64_t units,
                  int ring_bytes, Kernel&& kernel) {
    const int64_t blocks = ThreadBlocksAHead(problem.pattern.blocks_per_side, long_lines, units);
    RunKernel({.grid = Grid(blocks, problem),
               .threads = kThreads,
               .shared_bytes = kWarps * ring_bytes,
               .seed = TestSeed(3)},
              [&] { kernel(std::countr_zero(static_cast<uint64_t>(units))); });
  }
};

using AllKernels =
    testing::Types<Lines<BFloat16, 32, 16>, Lines<BFloat16, 32, 32>, Lines<Float16, 32, 64>,
                   Lines<BFloat16, 16, 128>, Lines<Float16, 64, 32>, Lines<float, 32, 32>,
                   Lines<float, 32, 64>, Warps<tiles::MathTf32, 16, 32, 2>,
                   Warps<tiles::MathTf32, 64, 64, 1>, Warps<tiles::MathF32, 32, 16, 1>,
                   Warps<tiles::MathBF16, 128, 32, 1>>;
INSTANTIATE_TYPED_TEST_SUITE_P(All, EmulatedTest, AllKernels);

class EmulatedExactTest : public EmulatedTest<Warps<tiles::MathF32, 32, 16, 1>> {};

TEST_F(EmulatedExactTest, EqualKeysHaveEqualWeightsHoweverHugeTheirScores) {
  // Scores of some 10,000, which fp32 holds in steps of 1 / 1000: a weight that is made from two of
  // them, rounded apart, is wrong in the fourth digit. The two keys are of different steps.
  const BlockPattern pattern = AllBlocks(3, 16);
  const AttentionShape shape = ShapeOf(pattern, 1);
  Problem problem = {.inputs = MakeAttentionCase(shape, CasePadding::kNone, 5, TestSeed(32)),
                     .patterns = {pattern},
                     .pruned = PrunedScore::kExcluded};
  AttentionCase& inputs = problem.inputs;
  for (int64_t head = 0; head < shape.batch * shape.heads; ++head) {
    float* q = inputs.q.data() + head * shape.length * shape.head_dim;
    float* k = inputs.k.data() + head * shape.length * shape.head_dim;
    for (int64_t row = 0; row < shape.length; ++row) {
      q[row * shape.head_dim] = 3000;
      k[row * shape.head_dim] = row == 3 ? 20 : 0;
    }
    std::copy_n(k + 3 * shape.head_dim, shape.head_dim, k + 37 * shape.head_dim);
  }
  EXPECT_LE(NormError(Run(problem).out, reference::Forward(OracleInput(problem)).out), 1e-6);
}

}  // namespace
}  // namespace spion::cuda
