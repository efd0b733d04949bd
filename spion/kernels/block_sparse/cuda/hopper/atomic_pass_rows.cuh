// What comes before and after atomic_pass.cuh: a kernel that makes D = dO . O and log2 Z of every
// row and clears the sums of dQ, and one that makes dQ of them.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ATOMIC_PASS_ROWS_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ATOMIC_PASS_ROWS_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/hopper/atomic_pass.cuh"

namespace spion::cuda::hopper {

constexpr int kAtomicPassThreads = 256;

/// Rows that a thread block of either kernel takes: 8192 numbers.
template <int kHeadDim>
constexpr int kAtomicPassRows = 2 * kSumsOfGroup / kHeadDim;

/// Which rows a thread block has.
struct RowsPlace {
  Unit unit;
  int32_t row;

  static __device__ __forceinline__ RowsPlace Of(const BlockSparseProblem& problem, int rows) {
    const auto per_head = static_cast<uint32_t>(problem.length) / rows;
    const uint32_t pair = blockIdx.x / per_head;
    const auto heads = static_cast<uint32_t>(problem.heads);
    return {
        {.head = static_cast<int32_t>(pair % heads), .example = static_cast<int32_t>(pair / heads)},
        static_cast<int32_t>(blockIdx.x % per_head * rows)};
  }
};

template <typename T, int kHeadDim>
__global__ void __launch_bounds__(kAtomicPassThreads)
    AtomicPassStatisticsKernel(const __grid_constant__ AtomicPassArguments<T> arguments) {
  constexpr int kRows = kAtomicPassRows<kHeadDim>;
  constexpr int kLanes = kHeadDim / 8;  // of a row
  constexpr int kAtOnce = kAtomicPassThreads / kLanes;
  const BlockSparseBackward<T>& call = arguments.call;
  const RowsPlace place = RowsPlace::Of(call.problem, kRows);
  const int64_t first = int64_t{blockIdx.x} * kRows;
  const uint32_t lane = threadIdx.x % kLanes;
  const T* outs = place.unit.HeadOf(call.out) + 8 * lane;
  const T* grads = place.unit.HeadOf(call.grad_out) + 8 * lane;
  float dots[kRows / kAtOnce];
#pragma unroll
  for (int i = 0; i < kRows / kAtOnce; ++i) {
    const int64_t row = place.row + i * kAtOnce + threadIdx.x / kLanes;
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
  float* sums = arguments.grad_q_sums + first * kHeadDim + 4 * threadIdx.x;
#pragma unroll
  for (int i = 0; i < kRows * kHeadDim; i += 4 * kAtomicPassThreads) {
    tiles::StoreGlobal(sums + i, float4{0, 0, 0, 0});
  }
#pragma unroll
  for (int i = 0; i < kRows / kAtOnce; ++i) {
#pragma unroll
    for (int step = 1; step < kLanes; step *= 2) {
      dots[i] += __shfl_xor_sync(tiles::kAllLanes, dots[i], step);
    }
    if (lane == 0) {
      const int64_t row = first + i * kAtOnce + threadIdx.x / kLanes;
      arguments.statistics.dots[row] = dots[i];
      arguments.statistics.lse_log2[row] = call.log_sum_exp[row] * tiles::kLog2E;
    }
  }
}

template <typename T, int kHeadDim>
__global__ void __launch_bounds__(kAtomicPassThreads)
    AtomicPassGradQueriesKernel(const __grid_constant__ AtomicPassArguments<T> arguments) {
  const BlockSparseBackward<T>& call = arguments.call;
  const RowsPlace place = RowsPlace::Of(call.problem, kAtomicPassRows<kHeadDim>);
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
  const int64_t row = place.row + group * kGroupRows + thread / 32 * 16 + tiles::LaneGroup();
  T* to = place.unit.HeadOf(call.grad_q) + row * call.grad_q.row_stride;
  StoreSums(sums, {call.problem.scale, call.problem.scale}, to, call.grad_q.row_stride);
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ATOMIC_PASS_ROWS_CUH_
