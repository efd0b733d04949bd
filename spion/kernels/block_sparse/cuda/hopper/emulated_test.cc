// The kernels for Hopper on the CPU, held against the oracle. Launches are as plan.h has them.
#include <cstdint>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "spion/kernels/block_sparse/cuda/common/emulated_suite.h"
#include "spion/kernels/block_sparse/cuda/hopper/emulated_warpgroups.h"
#include "spion/kernels/block_sparse/cuda/hopper/one_pass.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/one_pass_rows.cuh"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/testing/seed.h"

namespace spion::cuda {
namespace {

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

using AllKernels =
    testing::Types<ShortLines<BFloat16>, ShortLines<Float16>, Warpgroups<BFloat16, 32, 64>,
                   Warpgroups<Float16, 64, 64>, Warpgroups<BFloat16, 128, 64>,
                   Warpgroups<BFloat16, 64, 128>, Warpgroups<Float16, 128, 128>,
                   Warpgroups<BFloat16, 128, 128>, OnePass<BFloat16, 64>, OnePass<Float16, 128>>;
INSTANTIATE_TYPED_TEST_SUITE_P(All, EmulatedTest, AllKernels);

}  // namespace
}  // namespace spion::cuda
