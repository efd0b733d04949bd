// The launches of one kind of number. Each .cu file instantiates one, so that they compile side by
// side.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_LAUNCH_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_LAUNCH_CUH_

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>

#include "spion/kernels/block_sparse/cuda/common/shared_memory.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/forward.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/grad_keys.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/grad_queries.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/tile_map.h"

namespace spion::cuda::hopper {

/// Shared memory of a kernel's thread blocks.
template <class Traits>
constexpr int SharedBytes() {
  constexpr uint32_t kMostBytes = 227 * 1024;
  constexpr uint32_t kBytes =
      Traits::kTeams * (Traits::Rings::kBytes + Traits::Rings::kBarrierBytes);
  static_assert(kBytes <= kMostBytes);
  return static_cast<int>(kBytes);
}

/// A thread block an SM, or fewer if there are fewer units.
template <class Traits, typename Kernel, typename Arguments>
cudaError_t LaunchTeams(Kernel kernel, const Arguments& arguments, cudaStream_t stream) {
  constexpr int kBytes = SharedBytes<Traits>();
  cudaError_t error = AllowSharedMemory(kernel, kBytes, 0);
  int device = 0;
  if (error == cudaSuccess) error = cudaGetDevice(&device);
  int multiprocessors = 0;
  if (error == cudaSuccess) {
    error = cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device);
  }
  if (error != cudaSuccess) return error;
  const BlockSparseProblem& problem = arguments.call.problem;
  const int64_t units =
      problem.batch * problem.heads * problem.pattern.blocks_per_side * Traits::kParts;
  const int64_t blocks =
      std::min<int64_t>((units + Traits::kTeams - 1) / Traits::kTeams, multiprocessors);
  kernel<<<static_cast<unsigned>(blocks), Traits::kThreads, kBytes, stream>>>(arguments);
  return cudaGetLastError();
}

template <int kHeadDim, int kBlock, typename T>
cudaError_t LaunchOf(const BlockSparseForward<T>& call, cudaStream_t stream) {
  using Traits = ForwardTraits<kHeadDim, kBlock>;
  ForwardArguments<T> arguments = {.call = call};
  cudaError_t error = MakeTileMap(call.q, call.problem, Traits::kTileRows, arguments.q);
  if (error == cudaSuccess) {
    error = MakeTileMap(call.k, call.problem, Traits::kTileRows, arguments.k);
  }
  if (error == cudaSuccess) {
    error = MakeTileMap(call.v, call.problem, Traits::kTileRows, arguments.v);
  }
  if (error != cudaSuccess) return error;
  return LaunchTeams<Traits>(ForwardKernel<T, kHeadDim, kBlock>, arguments, stream);
}

template <int kHeadDim, int kBlock, typename T>
cudaError_t LaunchOf(const BlockSparseBackward<T>& call, cudaStream_t stream) {
  const int64_t rows = call.problem.batch * call.problem.heads * call.problem.length;
  BackwardArguments<T> arguments = {.call = call,
                                    .statistics = {call.scratch, call.scratch + rows}};
  cudaError_t error = MakeTileMap(call.q, call.problem, kBlock, arguments.q);
  if (error == cudaSuccess) error = MakeTileMap(call.k, call.problem, kBlock, arguments.k);
  if (error == cudaSuccess) error = MakeTileMap(call.v, call.problem, kBlock, arguments.v);
  if (error == cudaSuccess) error = MakeTileMap(call.out, call.problem, kBlock, arguments.out);
  if (error == cudaSuccess)
    error = MakeTileMap(call.grad_out, call.problem, kBlock, arguments.grad_out);
  if (error == cudaSuccess) {
    error = LaunchTeams<GradQueriesTraits<kHeadDim, kBlock>>(GradQueriesKernel<T, kHeadDim, kBlock>,
                                                             arguments, stream);
  }
  if (error != cudaSuccess) return error;
  return LaunchTeams<GradKeysTraits<kHeadDim, kBlock>>(GradKeysKernel<T, kHeadDim, kBlock>,
                                                       arguments, stream);
}

/// Forward or backward, by the type of the call.
template <typename Call>
cudaError_t LaunchAny(const Call& call, cudaStream_t stream) {
  const BlockSparseProblem& problem = call.problem;
  if (problem.head_dim == 64 && problem.block_size == 64) return LaunchOf<64, 64>(call, stream);
  if (problem.head_dim == 64 && problem.block_size == 128) return LaunchOf<64, 128>(call, stream);
  if (problem.head_dim == 128 && problem.block_size == 64) return LaunchOf<128, 64>(call, stream);
  if (problem.head_dim == 128 && problem.block_size == 128) return LaunchOf<128, 128>(call, stream);
  return cudaErrorInvalidValue;
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_LAUNCH_CUH_
