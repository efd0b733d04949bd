// The device code itself, run on the CPU by spion/kernels/cuda_emulation and held against the
// oracle: what a machine without a GPU can say about the kernels. Launches are those of plan.h.
#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "gtest/gtest.h"
#include "spion/kernels/block_sparse/cuda/common/emulated_suite.h"
#include "spion/kernels/block_sparse/cuda/common/launch_plan.h"
#include "spion/kernels/block_sparse/cuda/hopper/emulated_warpgroups.h"
#include "spion/kernels/block_sparse/cuda/hopper/shapes.h"
#include "spion/kernels/block_sparse/cuda/kernels.cuh"
#include "spion/kernels/block_sparse/cuda/plan.h"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/common/number.h"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/kernels/cuda_tiles/math.cuh"
#include "spion/reference/attention.h"
#include "spion/testing/attention_case.h"
#include "spion/testing/pattern_zoo.h"
#include "spion/testing/seed.h"
#include "spion/testing/tolerance.h"

namespace spion::cuda {
namespace {

/// The kernels that the plan of such a call names, with its launches.
template <class Math, int kHeadDim, int kBlock>
struct Planned {
  using Element = typename Math::Element;
  static constexpr int kHeadDimension = kHeadDim;
  static constexpr int kBlockSize = kBlock;
  static constexpr Float32Math kFloat32 =
      std::is_same_v<Math, tiles::MathF32> ? Float32Math::kExact : Float32Math::kTf32;

  static void Forward(const BlockSparseForward<Element>& call) {
    Run(call, PlanForward<Element>(call.problem));
  }
  static void Backward(const BlockSparseBackward<Element>& call) {
    Run(call, PlanBackward<Element>(call.problem));
  }

 private:
  template <typename Call>
  static void Run(const Call& call, const LaunchPlan& plan) {
    for (const PlannedLaunch& launch : plan) {
      const auto kernel = FindKernel<Math, kHeadDim, kBlock, Call>(launch.kernel);
      ASSERT_NE(kernel, nullptr);
      RunKernel({.grid = EmulatedGrid(launch.grid),
                 .threads = launch.threads,
                 .shared_bytes = launch.shared_bytes,
                 .seed = TestSeed(1)},
                [&] { kernel(call, launch.argument); });
    }
  }
};

/// As a GPU of compute capability 9.0 takes a call, of head dimension 32 and blocks of 64.
template <class Math>
struct OnHopper : Planned<Math, 32, 64> {
  using T = typename Math::Element;

  static void Forward(const BlockSparseForward<T>& call) {
    if (hopper::ForwardWay(call.problem) == hopper::Way::kShortLines) {
      ShortLines<T>::Forward(call);
    } else {
      Planned<Math, 32, 64>::Forward(call);
    }
  }
  static void Backward(const BlockSparseBackward<T>& call) {
    switch (hopper::BackwardWay(call.problem)) {
      case hopper::Way::kShortLines:
        return ShortLines<T>::Backward(call);
      case hopper::Way::kTeams:
        return Warpgroups<T, 32, 64>::Backward(call);
      case hopper::Way::kNone:
        return Planned<Math, 32, 64>::Backward(call);
    }
  }
};

using AllKernels =
    testing::Types<Planned<tiles::MathBF16, 32, 16>, Planned<tiles::MathBF16, 32, 32>,
                   Planned<tiles::MathF16, 32, 64>, Planned<tiles::MathBF16, 16, 128>,
                   Planned<tiles::MathF16, 64, 32>, Planned<tiles::MathTf32, 32, 32>,
                   Planned<tiles::MathTf32, 32, 64>, Planned<tiles::MathTf32, 16, 32>,
                   Planned<tiles::MathTf32, 64, 64>, Planned<tiles::MathF32, 32, 16>,
                   Planned<tiles::MathBF16, 128, 32>, OnHopper<tiles::MathBF16>>;
INSTANTIATE_TYPED_TEST_SUITE_P(All, EmulatedTest, AllKernels);

class EmulatedExactTest : public EmulatedTest<Planned<tiles::MathF32, 32, 16>> {};

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
