// Layer normalisation of rows of kFours x 64 numbers, and its gradient.
//
//   y = (x - mean) / deviation          out = y w + b
//   g = dout w      dx = (g - mean(g) - y mean(g y)) / deviation      dw = sum dout y, db = sum
//   dout
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_LAYER_NORM_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_LAYER_NORM_CUH_

#include <cmath>
#include <cstdint>

#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/rows.cuh"

namespace spion::cuda {

/// Rows of a thread, whose loads are under way together.
template <int kFours>
constexpr int kRowsAThread = kFours == 1 ? 4 : 2;
template <int kFours>
constexpr int kRowsABlock = kRowsAThread<kFours>* kRowsAtOnce;

template <typename T, int kFours>
__global__ void __launch_bounds__(kRowThreads)
    LayerNormForwardKernel(const __grid_constant__ LayerNormForward<T> call) {
  constexpr int kWidth = kFours * kColumnsAtOnce;
  constexpr int kRows = kRowsAThread<kFours>;
  const int64_t first = int64_t{blockIdx.x} * kRowsABlock<kFours> + RowSlot();
  RowPart<kFours> x[kRows];
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    x[r].Clear();
    const int64_t row = first + r * kRowsAtOnce;
    if (row < call.rows) x[r].Load(call.x + row * kWidth);
  }
  RowPart<kFours> weight;
  RowPart<kFours> bias;
  weight.Load(call.weight);
  bias.Load(call.bias);
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    float sum = 0;
    ForEach([&](float v) { sum += v; }, x[r]);
    const float mean = RowTotal(sum) / kWidth;
    float squares = 0;
    ForEach([&](float v) { squares += (v - mean) * (v - mean); }, x[r]);
    const float inverse = 1 / sqrtf(RowTotal(squares) / kWidth + call.epsilon);
    ForEach([&](float& v, float w, float b) { v = fmaf((v - mean) * inverse, w, b); }, x[r], weight,
            bias);
    const int64_t row = first + r * kRowsAtOnce;
    if (row >= call.rows) continue;
    x[r].Store(call.out + row * kWidth);
    if (RowLane() != 0) continue;
    call.mean[row] = mean;
    call.inverse_deviation[row] = inverse;
  }
}

/// Leaves [gridDim.x, 2, width] in scratch.
template <typename T, int kFours>
__global__ void __launch_bounds__(kRowThreads)
    LayerNormBackwardKernel(const __grid_constant__ LayerNormBackward<T> call) {
  constexpr int kWidth = kFours * kColumnsAtOnce;
  constexpr int kRows = kFours == 1 ? 2 : 1;
  __shared__ float buffer[kRowWarps * kWidth];
  RowPart<kFours> weight;
  RowPart<kFours> grad_weight;
  RowPart<kFours> grad_bias;
  weight.Load(call.weight);
  grad_weight.Clear();
  grad_bias.Clear();
  const int64_t stride = int64_t{gridDim.x} * kRowsAtOnce;
  // The loop's end is the same for a warp, whose lanes exchange numbers.
  for (int64_t base = int64_t{blockIdx.x} * kRowsAtOnce; base < call.rows; base += kRows * stride) {
    RowPart<kFours> x[kRows];
    RowPart<kFours> grad[kRows];
    float mean[kRows] = {};
    float inverse[kRows] = {};
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      x[r].Clear();
      grad[r].Clear();
      const int64_t row = base + r * stride + RowSlot();
      if (row >= call.rows) continue;
      x[r].Load(call.x + row * kWidth);
      grad[r].Load(call.grad_out + row * kWidth);
      mean[r] = call.mean[row];
      inverse[r] = call.inverse_deviation[row];
    }
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      ForEach([&](float& v) { v = (v - mean[r]) * inverse[r]; }, x[r]);  // y from here on
      ForEach(
          [](float& weight_sum, float& bias_sum, float y, float g) {
            weight_sum = fmaf(g, y, weight_sum);
            bias_sum += g;
          },
          grad_weight, grad_bias, x[r], grad[r]);
      float sum = 0;
      float dot = 0;
      ForEach(
          [&](float& g, float w, float y) {
            g *= w;
            sum += g;
            dot = fmaf(g, y, dot);
          },
          grad[r], weight, x[r]);
      const float mean_sum = RowTotal(sum) / kWidth;
      const float mean_dot = RowTotal(dot) / kWidth;
      ForEach([&](float& g, float y) { g = (g - mean_sum - y * mean_dot) * inverse[r]; }, grad[r],
              x[r]);
      const int64_t row = base + r * stride + RowSlot();
      if (row < call.rows) grad[r].Store(call.grad_x + row * kWidth);
    }
  }
  float* sums = call.scratch + blockIdx.x * (2 * kWidth);
  WriteBlockSums(grad_weight, buffer, sums);
  WriteBlockSums(grad_bias, buffer, sums + kWidth);
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_LAYER_NORM_CUH_
