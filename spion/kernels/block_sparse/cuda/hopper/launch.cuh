// The launches of one kind of number. Each .cu file instantiates one, so that they compile side by
// side.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_LAUNCH_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_LAUNCH_CUH_

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "spion/kernels/block_sparse/cuda/common/slices.h"
#include "spion/kernels/block_sparse/cuda/hopper/atomic_pass.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/atomic_pass_rows.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/forward.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/grad_keys.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/grad_queries.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/one_pass.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/one_pass_plan.h"
#include "spion/kernels/block_sparse/cuda/hopper/one_pass_statistics.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/plan.h"
#include "spion/kernels/block_sparse/cuda/hopper/shapes.h"
#include "spion/kernels/block_sparse/cuda/hopper/short_backward.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/short_forward.cuh"
#include "spion/kernels/cuda_hopper/tile_map.h"
#include "spion/kernels/cuda_launch/device_attribute.h"
#include "spion/kernels/cuda_launch/overlap.h"
#include "spion/kernels/cuda_launch/shared_memory.h"

namespace spion::cuda::hopper {

inline TileMapSizes SizesOf(const BlockSparseProblem& problem) {
  return {problem.batch, problem.heads, problem.length, problem.head_dim};
}

template <class Traits, typename Kernel>
cudaError_t AllowTeams(Kernel kernel) {
  return AllowSharedMemory(kernel, SharedBytes<Traits>(), 0);
}

/// After AllowTeams.
template <class Traits, typename Kernel, typename Arguments>
cudaError_t StartTeams(Kernel kernel, const Arguments& arguments, int multiprocessors,
                       cudaStream_t stream) {
  const PlannedLaunch launch = PlanTeams<Traits>(arguments.call.problem, multiprocessors);
  kernel<<<static_cast<unsigned>(launch.grid.x), launch.threads, launch.shared_bytes, stream>>>(
      arguments);
  return cudaGetLastError();
}

template <int kHeadDim, int kBlock, typename T>
cudaError_t LaunchOf(const BlockSparseForward<T>& call, cudaStream_t stream) {
  using Traits = ForwardTraits<kHeadDim, kBlock>;
  const auto kernel = ForwardKernel<T, kHeadDim, kBlock>;
  ForwardArguments<T> arguments = {.call = call};
  const auto map = [&](const HeadTensor<const T>& tensor, int rows, tiles::TileMap& to) {
    return MakeTileMap(tensor, SizesOf(call.problem), rows, to);
  };
  int multiprocessors = 0;
  cudaError_t error = map(call.q, Traits::kUnitRows, arguments.q);
  if (error == cudaSuccess) error = map(call.k, kBlock, arguments.k);
  if (error == cudaSuccess) error = map(call.v, kBlock, arguments.v);
  if (error == cudaSuccess) error = AllowTeams<Traits>(kernel);
  if (error == cudaSuccess) error = CountMultiprocessors(multiprocessors);
  if (error != cudaSuccess) return error;
  return StartTeams<Traits>(kernel, arguments, multiprocessors, stream);
}

/// With P once.
template <int kHeadDim, typename T>
cudaError_t LaunchOnePass(const BlockSparseBackward<T>& call, cudaStream_t stream) {
  using Traits = OnePassTraits<kHeadDim>;
  const auto kernel = OnePassKernel<T, kHeadDim>;
  const OnePassPlan plan = PlanOnePass(call.problem);
  const int64_t rows = call.problem.batch * call.problem.heads * call.problem.length;
  auto* const scratch = reinterpret_cast<char*>(call.scratch);
  OnePassArguments<T> arguments = {
      .call = call,
      .statistics = {call.scratch, call.scratch + rows},
      .exchange = {.blocks = scratch + plan.blocks_at,
                   .counters = reinterpret_cast<uint32_t*>(scratch + plan.counters_at),
                   .heads_behind = plan.heads_behind,
                   .rounds = plan.rounds}};
  const auto map = [&](const HeadTensor<const T>& tensor, int tile_rows, tiles::TileMap& to) {
    return MakeTileMap(tensor, SizesOf(call.problem), tile_rows, to);
  };
  int multiprocessors = 0;
  cudaError_t error = map(call.q, Traits::kQueries, arguments.q);
  if (error == cudaSuccess) error = map(call.k, Traits::kBlock, arguments.k);
  if (error == cudaSuccess) error = map(call.k, kGroupRows, arguments.half_k);
  if (error == cudaSuccess) error = map(call.v, Traits::kBlock, arguments.v);
  if (error == cudaSuccess) error = map(call.grad_out, Traits::kQueries, arguments.grad_out);
  if (error == cudaSuccess) error = AllowTeams<Traits>(kernel);
  if (error == cudaSuccess) error = CountMultiprocessors(multiprocessors);
  if (error != cudaSuccess) return error;
  const auto blocks = static_cast<unsigned>(rows / kStatisticsRows<kHeadDim>);
  OnePassStatisticsKernel<T, kHeadDim><<<blocks, kStatisticsThreads, 0, stream>>>(arguments);
  error = cudaGetLastError();
  if (error != cudaSuccess) return error;
  return StartTeams<Traits>(kernel, arguments, multiprocessors, stream);
}

/// With P once, and dQ added up by atomics.
template <int kHeadDim, typename T>
cudaError_t LaunchAtomicPass(const BlockSparseBackward<T>& call, cudaStream_t stream) {
  using Traits = AtomicPassTraits<kHeadDim>;
  const auto kernel = AtomicPassKernel<T, kHeadDim>;
  const int64_t rows = call.problem.batch * call.problem.heads * call.problem.length;
  AtomicPassArguments<T> arguments = {.call = call,
                                      .statistics = {call.scratch, call.scratch + rows},
                                      .grad_q_sums = call.scratch + 2 * rows};
  const auto map = [&](const HeadTensor<const T>& tensor, tiles::TileMap& to) {
    return MakeTileMap(tensor, SizesOf(call.problem), Traits::kBlock, to);
  };
  int multiprocessors = 0;
  cudaError_t error = map(call.q, arguments.q);
  if (error == cudaSuccess) error = map(call.k, arguments.k);
  if (error == cudaSuccess) error = map(call.v, arguments.v);
  if (error == cudaSuccess) error = map(call.grad_out, arguments.grad_out);
  if (error == cudaSuccess) error = AllowTeams<Traits>(kernel);
  if (error == cudaSuccess) error = CountMultiprocessors(multiprocessors);
  if (error != cudaSuccess) return error;
  const auto blocks = static_cast<unsigned>(rows / kStatisticsRows<kHeadDim>);
  AtomicPassStatisticsKernel<T, kHeadDim><<<blocks, kStatisticsThreads, 0, stream>>>(arguments);
  error = cudaGetLastError();
  if (error == cudaSuccess) error = StartTeams<Traits>(kernel, arguments, multiprocessors, stream);
  if (error != cudaSuccess) return error;
  AtomicPassGradQueriesKernel<T, kHeadDim><<<blocks, kStatisticsThreads, 0, stream>>>(arguments);
  return cudaGetLastError();
}

/// What the device may refuse is asked for before the first launch.
template <int kHeadDim, int kBlock, typename T>
cudaError_t LaunchOf(const BlockSparseBackward<T>& call, cudaStream_t stream) {
  if constexpr (HasAtomicPass(kHeadDim, kBlock)) {
    if (!call.deterministic) return LaunchAtomicPass<kHeadDim>(call, stream);
  }
  if constexpr (kBlock == 128) {
    if (TakesOnePass(call.problem)) return LaunchOnePass<kHeadDim>(call, stream);
  }
  using QueriesTraits = GradQueriesTraits<kHeadDim, kBlock>;
  using KeysTraits = GradKeysTraits<kHeadDim, kBlock>;
  const auto queries = GradQueriesKernel<T, kHeadDim, kBlock>;
  const auto keys = GradKeysKernel<T, kHeadDim, kBlock>;
  const int64_t rows = call.problem.batch * call.problem.heads * call.problem.length;
  BackwardArguments<T> arguments = {.call = call,
                                    .statistics = {call.scratch, call.scratch + rows}};
  const auto map = [&](const HeadTensor<const T>& tensor, tiles::TileMap& to) {
    return MakeTileMap(tensor, SizesOf(call.problem), kBlock, to);
  };
  int multiprocessors = 0;
  cudaError_t error = map(call.q, arguments.q);
  if (error == cudaSuccess) error = map(call.k, arguments.k);
  if (error == cudaSuccess) error = map(call.v, arguments.v);
  if (error == cudaSuccess) error = map(call.out, arguments.out);
  if (error == cudaSuccess) error = map(call.grad_out, arguments.grad_out);
  if (error == cudaSuccess) error = AllowTeams<QueriesTraits>(queries);
  if (error == cudaSuccess) error = AllowTeams<KeysTraits>(keys);
  if (error == cudaSuccess) error = CountMultiprocessors(multiprocessors);
  if (error == cudaSuccess) {
    error = StartTeams<QueriesTraits>(queries, arguments, multiprocessors, stream);
  }
  if (error != cudaSuccess) return error;
  return StartTeams<KeysTraits>(keys, arguments, multiprocessors, stream);
}

template <class Traits, typename Arguments>
cudaError_t StartShortLines(void (*kernel)(Arguments),
                            const std::type_identity_t<Arguments>& arguments, cudaStream_t stream) {
  const PlannedLaunch launch = PlanShortLines<Traits>(arguments.call.problem);
  const dim3 grid(static_cast<unsigned>(launch.grid.x), static_cast<unsigned>(launch.grid.y),
                  static_cast<unsigned>(launch.grid.z));
  const cudaError_t error = AllowSharedMemory(kernel, launch.shared_bytes, 0);
  if (error != cudaSuccess) return error;
  return StartKernel(kernel, grid, static_cast<unsigned>(launch.threads),
                     static_cast<size_t>(launch.shared_bytes), stream, launch.overlaps, arguments);
}

/// Of one slice.
template <typename T>
cudaError_t LaunchShortLines(const BlockSparseForward<T>& call, cudaStream_t stream) {
  ForwardArguments<T> arguments = {.call = call};
  const auto map = [&](const HeadTensor<const T>& tensor, tiles::TileMap& to) {
    return MakeTileMap(tensor, SizesOf(call.problem), kGroupRows, to);
  };
  cudaError_t error = map(call.q, arguments.q);
  if (error == cudaSuccess) error = map(call.k, arguments.k);
  if (error == cudaSuccess) error = map(call.v, arguments.v);
  if (error != cudaSuccess) return error;
  return StartShortLines<ShortForwardTraits<32>>(ShortForwardKernel<T, 32>, arguments, stream);
}
template <typename T>
cudaError_t LaunchShortLines(const BlockSparseBackward<T>& call, cudaStream_t stream) {
  ShortBackwardArguments<T> arguments = {.call = call};
  const auto map = [&](const HeadTensor<const T>& tensor, tiles::TileMap& to) {
    return MakeTileMap(tensor, SizesOf(call.problem), kGroupRows, to);
  };
  cudaError_t error = map(call.q, arguments.q);
  if (error == cudaSuccess) error = map(call.k, arguments.k);
  if (error == cudaSuccess) error = map(call.v, arguments.v);
  if (error == cudaSuccess) error = map(call.out, arguments.out);
  if (error == cudaSuccess) error = map(call.grad_out, arguments.grad_out);
  if (error != cudaSuccess) return error;
  return StartShortLines<ShortBackwardTraits<32>>(ShortBackwardKernel<T, 32>, arguments, stream);
}

/// Forward or backward, by the type of the call, of head dimensions from 64 on.
template <typename Call>
cudaError_t LaunchWide(const Call& call, cudaStream_t stream) {
  const BlockSparseProblem& problem = call.problem;
  if (problem.head_dim == 64 && problem.block_size == 64) return LaunchOf<64, 64>(call, stream);
  if (problem.head_dim == 64 && problem.block_size == 128) return LaunchOf<64, 128>(call, stream);
  if (problem.head_dim == 128 && problem.block_size == 64) return LaunchOf<128, 64>(call, stream);
  if (problem.head_dim == 128 && problem.block_size == 128) return LaunchOf<128, 128>(call, stream);
  return cudaErrorInvalidValue;
}

template <typename T>
cudaError_t LaunchTeams(const BlockSparseForward<T>& call, cudaStream_t stream) {
  return LaunchWide(call, stream);
}
template <typename T>
cudaError_t LaunchTeams(const BlockSparseBackward<T>& call, cudaStream_t stream) {
  if (call.problem.head_dim == 32) return LaunchOf<32, 64>(call, stream);
  return LaunchWide(call, stream);
}

template <typename Call>
cudaError_t LaunchAs(Way way, const Call& call, cudaStream_t stream) {
  if (way == Way::kTeams) return LaunchTeams(call, stream);
  return InSlices(call, kGridLimits,
                  [stream](const Call& slice) { return LaunchShortLines(slice, stream); });
}
template <typename T>
cudaError_t LaunchAny(const BlockSparseForward<T>& call, cudaStream_t stream) {
  return LaunchAs(ForwardWay(call.problem), call, stream);
}
template <typename T>
cudaError_t LaunchAny(const BlockSparseBackward<T>& call, cudaStream_t stream) {
  return LaunchAs(BackwardWay(call.problem), call, stream);
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_LAUNCH_CUH_
