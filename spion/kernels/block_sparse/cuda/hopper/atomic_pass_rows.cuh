// What comes before and after atomic_pass.cuh: a kernel that makes D = dO . O and log2 Z of every
// row and clears the sums of dQ, and one that makes dQ of them. Both take kStatisticsRows a thread
// block.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ATOMIC_PASS_ROWS_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ATOMIC_PASS_ROWS_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/hopper/atomic_pass.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/store_statistics.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/units.cuh"

namespace spion::cuda::hopper {

template <typename T, int kHeadDim>
__global__ void __launch_bounds__(kStatisticsThreads)
    AtomicPassStatisticsKernel(const __grid_constant__ AtomicPassArguments<T> arguments) {
  constexpr int kRows = kStatisticsRows<kHeadDim>;
  float* sums = arguments.grad_q_sums + int64_t{blockIdx.x} * kRows * kHeadDim + 4 * threadIdx.x;
#pragma unroll
  for (int i = 0; i < kRows * kHeadDim; i += 4 * kStatisticsThreads) {
    tiles::StoreGlobal(sums + i, float4{0, 0, 0, 0});
  }
  StoreStatistics<T, kHeadDim>(arguments.call, arguments.statistics);
}

template <typename T, int kHeadDim>
__global__ void __launch_bounds__(kStatisticsThreads)
    AtomicPassGradQueriesKernel(const __grid_constant__ AtomicPassArguments<T> arguments) {
  const BlockSparseBackward<T>& call = arguments.call;
  const int64_t first = int64_t{blockIdx.x} * kStatisticsRows<kHeadDim>;
  const Unit unit = UnitOf(call.problem, static_cast<int32_t>(first / call.problem.length), {});
  const uint32_t group = threadIdx.x / kGroupThreads;
  const uint32_t thread = threadIdx.x % kGroupThreads;
  const float* from =
      arguments.grad_q_sums + (int64_t{blockIdx.x} * 2 + group) * kSumsOfGroup + 4 * thread;
  float sums[kColumns / 2];
#pragma unroll
  for (int i = 0; i < kColumns / 2; i += 4) {
    const float4 of = __ldg(reinterpret_cast<const float4*>(from + i * kGroupThreads));
    sums[i] = of.x;
    sums[i + 1] = of.y;
    sums[i + 2] = of.z;
    sums[i + 3] = of.w;
  }
  const int64_t row =
      first % call.problem.length + group * kGroupRows + thread / 32 * 16 + tiles::LaneGroup();
  T* to = unit.HeadOf(call.grad_q) + row * call.grad_q.row_stride;
  StoreSums(sums, {call.problem.scale, call.problem.scale}, to, call.grad_q.row_stride);
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ATOMIC_PASS_ROWS_CUH_
