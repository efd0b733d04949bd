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
#include "spion/kernels/block_sparse/cuda/hopper/one_pass.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/one_pass_rows.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/plan.h"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/testing/seed.h"

namespace spion::cuda {
namespace {

template <int kHeadDim, typename T>
tiles::TileMap Map(const HeadTensor<const T>& tensor, int rows) {
  constexpr auto kBytes = static_cast<int64_t>(sizeof(T));
  return {.data = tensor.data,
          .example_stride = tensor.batch_stride * kBytes,
          .head_stride = tensor.head_stride * kBytes,
          .row_stride = tensor.row_stride * kBytes,
          .rows = rows,
          .panels = kHeadDim < 64 ? 1 : kHeadDim / 64,
          .row_bytes = kHeadDim < 64 ? 64 : 128};
}

template <class Traits, class Kernel>
void RunTeamsOf(const BlockSparseProblem& problem, Kernel&& kernel) {
  constexpr int kMultiprocessors = 2;  // few, so that teams have several units
  const PlannedLaunch launch = hopper::PlanTeams<Traits>(problem, kMultiprocessors);
  RunKernel({.grid = EmulatedGrid(launch.grid),
             .threads = launch.threads,
             .shared_bytes = launch.shared_bytes,
             .seed = TestSeed(5)},
            kernel);
}

template <typename T, int kHeadDim, int kBlock>
struct Warpgroups {
  using Element = T;
  static constexpr int kHeadDimension = kHeadDim;
  static constexpr int kBlockSize = kBlock;
  static constexpr Float32Math kFloat32 = Float32Math::kExact;  // none

  static void Forward(const BlockSparseForward<T>& call) {
    using Traits = hopper::ForwardTraits<kHeadDim, kBlock>;
    constexpr int kRows = Traits::kTileRows;
    const hopper::ForwardArguments<T> arguments = {.call = call,
                                                   .q = Map<kHeadDim>(call.q, kRows),
                                                   .k = Map<kHeadDim>(call.k, kRows),
                                                   .v = Map<kHeadDim>(call.v, kRows)};
    RunTeamsOf<Traits>(call.problem,
                       [&] { hopper::ForwardKernel<T, kHeadDim, kBlock>(arguments); });
  }
  static void Backward(const BlockSparseBackward<T>& call) {
    const BlockSparseProblem& problem = call.problem;
    const auto rows = static_cast<size_t>(problem.batch * problem.heads * problem.length);
    std::vector<float> lse_log2(rows, std::numeric_limits<float>::quiet_NaN());
    std::vector<float> dots = lse_log2;
    const hopper::BackwardArguments<T> arguments = {
        .call = call,
        .statistics = {lse_log2.data(), dots.data()},
        .q = Map<kHeadDim>(call.q, kBlock),
        .k = Map<kHeadDim>(call.k, kBlock),
        .v = Map<kHeadDim>(call.v, kBlock),
        .out = Map<kHeadDim>(call.out, kBlock),
        .grad_out = Map<kHeadDim>(call.grad_out, kBlock)};
    RunTeamsOf<hopper::GradQueriesTraits<kHeadDim, kBlock>>(
        problem, [&] { hopper::GradQueriesKernel<T, kHeadDim, kBlock>(arguments); });
    RunTeamsOf<hopper::GradKeysTraits<kHeadDim, kBlock>>(
        problem, [&] { hopper::GradKeysKernel<T, kHeadDim, kBlock>(arguments); });
  }
};

/// The same forward pass, and the backward pass that sums up dQ by atomics.
template <typename T, int kHeadDim>
struct OnePass : Warpgroups<T, kHeadDim, 128> {
  static void Backward(const BlockSparseBackward<T>& call) {
    using Traits = hopper::OnePassTraits<kHeadDim>;
    const BlockSparseProblem& problem = call.problem;
    const int64_t rows = problem.batch * problem.heads * problem.length;
    std::vector<float> scratch(rows * (2 + kHeadDim), std::numeric_limits<float>::quiet_NaN());
    const hopper::OnePassArguments<T> arguments = {
        .call = call,
        .statistics = {scratch.data(), scratch.data() + rows},
        .grad_q_sums = scratch.data() + 2 * rows,
        .q = Map<kHeadDim>(call.q, Traits::kQueries),
        .k = Map<kHeadDim>(call.k, Traits::kBlock),
        .v = Map<kHeadDim>(call.v, Traits::kBlock),
        .grad_out = Map<kHeadDim>(call.grad_out, Traits::kQueries)};
    const EmulatedLaunch of_rows = {
        .grid = {static_cast<unsigned>(rows / hopper::kRowsOfBlock<kHeadDim>), 1, 1},
        .threads = hopper::kRowsThreads,
        .seed = TestSeed(6)};
    RunKernel(of_rows, [&] { hopper::OnePassStatisticsKernel<T, kHeadDim>(arguments); });
    RunTeamsOf<Traits>(problem, [&] { hopper::OnePassKernel<T, kHeadDim>(arguments); });
    RunKernel(of_rows, [&] { hopper::OnePassGradQueriesKernel<T, kHeadDim>(arguments); });
  }
};

using AllKernels = testing::Types<Warpgroups<BFloat16, 32, 64>, Warpgroups<Float16, 64, 64>,
                                  Warpgroups<BFloat16, 128, 64>, Warpgroups<BFloat16, 64, 128>,
                                  Warpgroups<Float16, 128, 128>, Warpgroups<BFloat16, 128, 128>,
                                  OnePass<BFloat16, 64>, OnePass<Float16, 128>>;
INSTANTIATE_TYPED_TEST_SUITE_P(All, EmulatedTest, AllKernels);

}  // namespace
}  // namespace spion::cuda
