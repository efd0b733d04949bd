// The kernels for Hopper as EmulatedTest takes kernels. Launches are as plan.h has them.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_EMULATED_WARPGROUPS_H_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_EMULATED_WARPGROUPS_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "spion/kernels/block_sparse/cuda/common/emulated_suite.h"
#include "spion/kernels/block_sparse/cuda/common/launch_plan.h"
#include "spion/kernels/block_sparse/cuda/hopper/forward.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/grad_keys.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/grad_queries.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/plan.h"
#include "spion/kernels/block_sparse/cuda/hopper/short_backward.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/short_forward.cuh"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/common/head_tensor.h"
#include "spion/kernels/common/number.h"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/testing/seed.h"

namespace spion::cuda {

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
    const hopper::ForwardArguments<T> arguments = {.call = call,
                                                   .q = Map<kHeadDim>(call.q, Traits::kUnitRows),
                                                   .k = Map<kHeadDim>(call.k, kBlock),
                                                   .v = Map<kHeadDim>(call.v, kBlock)};
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

/// A thread block a line, at head dimension 32 with blocks of 64.
template <typename T>
struct ShortLines {
  using Element = T;
  static constexpr int kHeadDimension = 32;
  static constexpr int kBlockSize = hopper::kGroupRows;
  static constexpr Float32Math kFloat32 = Float32Math::kExact;  // none

  static void Forward(const BlockSparseForward<T>& call) {
    const hopper::ForwardArguments<T> arguments = {.call = call,
                                                   .q = Map<32>(call.q, kBlockSize),
                                                   .k = Map<32>(call.k, kBlockSize),
                                                   .v = Map<32>(call.v, kBlockSize)};
    Run<hopper::ShortForwardTraits<32>>(call.problem,
                                        [&] { hopper::ShortForwardKernel<T, 32>(arguments); });
  }
  static void Backward(const BlockSparseBackward<T>& call) {
    const hopper::ShortBackwardArguments<T> arguments = {
        .call = call,
        .q = Map<32>(call.q, kBlockSize),
        .k = Map<32>(call.k, kBlockSize),
        .v = Map<32>(call.v, kBlockSize),
        .out = Map<32>(call.out, kBlockSize),
        .grad_out = Map<32>(call.grad_out, kBlockSize)};
    Run<hopper::ShortBackwardTraits<32>>(call.problem,
                                         [&] { hopper::ShortBackwardKernel<T, 32>(arguments); });
  }

 private:
  template <class Traits, class Kernel>
  static void Run(const BlockSparseProblem& problem, Kernel&& kernel) {
    const PlannedLaunch launch = hopper::PlanShortLines<Traits>(problem);
    RunKernel({.grid = EmulatedGrid(launch.grid),
               .threads = launch.threads,
               .shared_bytes = launch.shared_bytes,
               .seed = TestSeed(5)},
              kernel);
  }
};

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_EMULATED_WARPGROUPS_H_
