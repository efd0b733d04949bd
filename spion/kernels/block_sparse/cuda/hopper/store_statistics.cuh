// What backward kernels that take P from log Z need of every row: D = dO . O and log2 Z.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_STORE_STATISTICS_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_STORE_STATISTICS_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/hopper/backward.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/units.cuh"

namespace spion::cuda::hopper {

constexpr int kStatisticsThreads = 256;

/// Rows that a thread block takes: 8192 numbers.
template <int kHeadDim>
constexpr int kStatisticsRows = 8192 / kHeadDim;

/// Of the thread block's rows. The grid has a thread block for each kStatisticsRows of B H L.
template <typename T, int kHeadDim>
__device__ __forceinline__ void StoreStatistics(const BlockSparseBackward<T>& call,
                                                const RowStatistics& statistics) {
  constexpr int kRows = kStatisticsRows<kHeadDim>;
  constexpr int kLanes = kHeadDim / 8;  // of a row
  constexpr int kAtOnce = kStatisticsThreads / kLanes;
  const int64_t first = int64_t{blockIdx.x} * kRows;
  const Unit unit = UnitOf(call.problem, static_cast<int32_t>(first / call.problem.length), {});
  const int64_t first_of_head = first % call.problem.length;
  const uint32_t lane = threadIdx.x % kLanes;
  const T* outs = unit.HeadOf(call.out) + 8 * lane;
  const T* grads = unit.HeadOf(call.grad_out) + 8 * lane;
  float dots[kRows / kAtOnce];
#pragma unroll
  for (int i = 0; i < kRows / kAtOnce; ++i) {
    const int64_t row = first_of_head + i * kAtOnce + threadIdx.x / kLanes;
    const uint4 a = __ldg(reinterpret_cast<const uint4*>(outs + row * call.out.row_stride));
    const uint4 b = __ldg(reinterpret_cast<const uint4*>(grads + row * call.grad_out.row_stride));
    const uint32_t left[4] = {a.x, a.y, a.z, a.w};
    const uint32_t right[4] = {b.x, b.y, b.z, b.w};
    dots[i] = 0;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const float2 x = Unpack<T>(left[j]);
      const float2 y = Unpack<T>(right[j]);
      dots[i] = fmaf(x.x, y.x, fmaf(x.y, y.y, dots[i]));
    }
  }
#pragma unroll
  for (int i = 0; i < kRows / kAtOnce; ++i) {
#pragma unroll
    for (int step = 1; step < kLanes; step *= 2) {
      dots[i] += __shfl_xor_sync(tiles::kAllLanes, dots[i], step);
    }
    if (lane == 0) {
      const int64_t row = first + i * kAtOnce + threadIdx.x / kLanes;
      statistics.dots[row] = dots[i];
      statistics.lse_log2[row] = call.log_sum_exp[row] * tiles::kLog2E;
    }
  }
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_STORE_STATISTICS_CUH_
