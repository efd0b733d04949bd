// The kernels for Hopper on the CPU, held against the oracle. Launches are as plan.h has them.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "spion/kernels/block_sparse/cuda/common/emulated_suite.h"
#include "spion/kernels/block_sparse/cuda/common/launch_plan.h"
#include "spion/kernels/block_sparse/cuda/hopper/forward.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/grad_keys.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/grad_queries.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/plan.h"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/testing/seed.h"

namespace spion::cuda {
namespace {

template <typename T, int kHeadDim, int kBlock>
struct Warpgroups {
  using Element = T;
  static constexpr int kHeadDimension = kHeadDim;
  static constexpr int kBlockSize = kBlock;
  static constexpr Float32Math kFloat32 = Float32Math::kExact;  // none

  static void Forward(const BlockSparseForward<T>& call) {
    using Traits = hopper::ForwardTraits<kHeadDim, kBlock>;
    constexpr int kRows = Traits::kTileRows;
    const hopper::ForwardArguments<T> arguments = {
        .call = call, .q = Map(call.q, kRows), .k = Map(call.k, kRows), .v = Map(call.v, kRows)};
    Run<Traits>(call.problem, [&] { hopper::ForwardKernel<T, kHeadDim, kBlock>(arguments); });
  }
  static void Backward(const BlockSparseBackward<T>& call) {
    const BlockSparseProblem& problem = call.problem;
    const auto rows = static_cast<size_t>(problem.batch * problem.heads * problem.length);
    std::vector<float> lse_log2(rows, std::numeric_limits<float>::quiet_NaN());
    std::vector<float> dots = lse_log2;
    const hopper::BackwardArguments<T> arguments = {.call = call,
                                                    .statistics = {lse_log2.data(), dots.data()},
                                                    .q = Map(call.q, kBlock),
                                                    .k = Map(call.k, kBlock),
                                                    .v = Map(call.v, kBlock),
                                                    .out = Map(call.out, kBlock),
                                                    .grad_out = Map(call.grad_out, kBlock)};
    Run<hopper::GradQueriesTraits<kHeadDim, kBlock>>(
        problem, [&] { hopper::GradQueriesKernel<T, kHeadDim, kBlock>(arguments); });
    Run<hopper::GradKeysTraits<kHeadDim, kBlock>>(
        problem, [&] { hopper::GradKeysKernel<T, kHeadDim, kBlock>(arguments); });
  }

 private:
  static tiles::TileMap Map(const HeadTensor<const T>& tensor, int rows) {
    constexpr auto kBytes = static_cast<int64_t>(sizeof(T));
    return {.data = tensor.data,
            .example_stride = tensor.batch_stride * kBytes,
            .head_stride = tensor.head_stride * kBytes,
            .row_stride = tensor.row_stride * kBytes,
            .rows = rows,
            .panels = kHeadDim / 64};
  }
  template <class Traits, class Kernel>
  static void Run(const BlockSparseProblem& problem, Kernel&& kernel) {
    constexpr int kMultiprocessors = 2;  // few, so that teams have several units
    const PlannedLaunch launch = hopper::PlanTeams<Traits>(problem, kMultiprocessors);
    RunKernel({.grid = EmulatedGrid(launch.grid),
               .threads = launch.threads,
               .shared_bytes = launch.shared_bytes,
               .seed = TestSeed(5)},
              kernel);
  }
};

using AllKernels = testing::Types<Warpgroups<Float16, 64, 64>, Warpgroups<BFloat16, 128, 64>,
                                  Warpgroups<BFloat16, 64, 128>, Warpgroups<Float16, 128, 128>,
                                  Warpgroups<BFloat16, 128, 128>>;
INSTANTIATE_TYPED_TEST_SUITE_P(All, EmulatedTest, AllKernels);

}  // namespace
}  // namespace spion::cuda
