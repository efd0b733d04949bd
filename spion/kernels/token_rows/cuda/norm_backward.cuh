// The gradient of norm_forward.cuh's sum in one pass, for rows of kFours x 64 numbers.
//
//   y = (s - mean) / deviation              g = grad_out weight
//   ds = grad_sum + (g - mean(g) - y mean(g y)) / deviation
//   dx = ds                                 dbranch = dropout(ds)
//   dweight = sum of grad_out y             dbias = sum of grad_out
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_NORM_BACKWARD_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_NORM_BACKWARD_CUH_

#include <cstdint>

#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/counted_rows.cuh"
#include "spion/kernels/token_rows/cuda/rows.cuh"

namespace spion::cuda {

/// Rows are fewer than 2^31.
__device__ __forceinline__ int64_t GradientRow(int64_t row, uint32_t repeats) {
  return repeats == 1 ? row : int64_t{static_cast<uint32_t>(row) / repeats};
}

/// Whether the row takes part in what its gradient is of.
__device__ __forceinline__ bool Counts(const int32_t* lengths, int64_t row, uint32_t repeats) {
  if (lengths == nullptr) return true;
  const auto number = static_cast<uint32_t>(row);
  return number % repeats < CountedRows(lengths, number / repeats, repeats);
}

/// Grid: SumBlocks(rows) thread blocks of kRowThreads, which share out the call's rows, [rows, 64
/// kFours]. Leaves [gridDim.x, 2, width] in scratch.
template <typename Branch, typename T, int kFours>
__global__ void __launch_bounds__(kRowThreads)
    AddNormBackwardKernel(const __grid_constant__ AddNormBackward<Branch, T> call) {
  constexpr int kWidth = kFours * kColumnsAtOnce;
  static_assert(TakesNormWidth(kWidth));
  constexpr int kRows = kRowsTogether<kFours>;
  alignas(16) __shared__ float buffer[kRowWarps * kWidth];
  const Dropper dropper(call.dropout);
  const auto repeats = static_cast<uint32_t>(call.repeats);
  RowPart<kFours> weight;
  RowPart<kFours> grad_weight;
  RowPart<kFours> grad_bias;
  weight.Load(call.weight);
  grad_weight.Clear();
  grad_bias.Clear();
  constexpr int64_t kBlockRows = kRowsAtOnce * kRows;
  // The loop's end is the same for a warp, whose lanes exchange numbers.
  for (int64_t base = blockIdx.x * kBlockRows; base < call.rows; base += gridDim.x * kBlockRows) {
    const int64_t first_row = base + RowSlot() * kRows;
    RowPart<kFours> y[kRows];
    RowPart<kFours> grad[kRows];
    RowPart<kFours> total[kRows];
    float mean[kRows] = {};
    float inverse[kRows] = {};
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      y[r].Clear();
      grad[r].Clear();
      total[r].Clear();
      const int64_t row = first_row + r;
      if (row >= call.rows || !Counts(call.lengths, row, repeats)) continue;
      y[r].Load(call.sum + row * kWidth);
      grad[r].Load(call.grad_out + GradientRow(row, repeats) * kWidth);
      if (call.grad_sum != nullptr) total[r].Load(call.grad_sum + row * kWidth);
      mean[r] = call.mean[row];
      inverse[r] = call.inverse_deviation[row];
    }
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      ForEach([&](float& v) { v = (v - mean[r]) * inverse[r]; }, y[r]);
      ForEach(
          [](float& weight_sum, float& bias_sum, float v, float g) {
            weight_sum = fmaf(g, v, weight_sum);
            bias_sum += g;
          },
          grad_weight, grad_bias, y[r], grad[r]);
      float sum = 0;
      float dot = 0;
      ForEach(
          [&](float& g, float w, float v) {
            g *= w;
            sum += g;
            dot = fmaf(g, v, dot);
          },
          grad[r], weight, y[r]);
      const float mean_sum = RowTotal(sum) / kWidth;
      const float mean_dot = RowTotal(dot) / kWidth;
      ForEach(
          [&](float& t, float g, float v) { t = fmaf(g - mean_sum - v * mean_dot, inverse[r], t); },
          total[r], grad[r], y[r]);
      const int64_t row = first_row + r;
      if (call.grad_x != nullptr && row < call.rows) total[r].Store(call.grad_x + row * kWidth);
    }
    if (call.grad_branch == nullptr) continue;
    Drop(dropper, first_row, total);
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      const int64_t row = first_row + r;
      if (row < call.rows) total[r].Store(call.grad_branch + row * kWidth);
    }
  }
  float* sums = call.scratch + int64_t{blockIdx.x} * (2 * kWidth);
  WriteBlockSums(grad_weight, buffer, sums);
  WriteBlockSums(grad_bias, buffer, sums + kWidth);
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_NORM_BACKWARD_CUH_
