// The residual stream and its layer normalisation in one pass, for rows of kFours x 64 numbers.
//
//   s = x + dropout(branch),  or  dropout(token + position)
//   out = (s - mean) / deviation weight + bias
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_NORM_FORWARD_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_NORM_FORWARD_CUH_

#include <cmath>
#include <cstdint>

#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/rows.cuh"
#include "spion/kernels/token_rows/cuda/token_ids.cuh"

namespace spion::cuda {

/// Groups of a thread, whose loads are under way together.
template <int kFours>
constexpr int kGroupsPerThread = kFours == 2 ? 1 : 2;
template <int kFours>
constexpr int kRowsPerBlock = kGroupsPerThread<kFours>* kRowsTogether<kFours>* kRowsAtOnce;

/// The first row of one of the thread's groups.
template <int kFours>
__device__ __forceinline__ int64_t FirstRow(int group) {
  return int64_t{blockIdx.x} * kRowsPerBlock<kFours> +
         (group * kRowsAtOnce + RowSlot()) * kRowsTogether<kFours>;
}

/// Normalises the rows and writes what comes of those below `end`.
template <typename T, int kFours, int kRows>
__device__ __forceinline__ void NormaliseRows(const RowNorm<T>& norm, const RowPart<kFours>& weight,
                                              const RowPart<kFours>& bias, int64_t first_row,
                                              int64_t end, RowPart<kFours> (&rows)[kRows]) {
  constexpr int kWidth = kFours * kColumnsAtOnce;
  static_assert(TakesNormWidth(kWidth));
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    float sum = 0;
    ForEach([&](float v) { sum += v; }, rows[r]);
    const float mean = RowTotal(sum) / kWidth;
    float squares = 0;
    ForEach([&](float v) { squares += (v - mean) * (v - mean); }, rows[r]);
    const float inverse = 1 / sqrtf(RowTotal(squares) / kWidth + norm.epsilon);
    ForEach([&](float& v, float w, float b) { v = fmaf((v - mean) * inverse, w, b); }, rows[r],
            weight, bias);
    const int64_t row = first_row + r;
    if (row >= end) continue;
    rows[r].Store(norm.out + row * kWidth);
    if (RowLane() != 0) continue;
    norm.mean[row] = mean;
    norm.inverse_deviation[row] = inverse;
  }
}

/// Grid: thread blocks of kRowThreads, each of kRowsPerBlock of the call's rows, [rows, 64 kFours].
template <typename Branch, typename T, int kFours>
__global__ void __launch_bounds__(kRowThreads)
    AddNormForwardKernel(const __grid_constant__ AddNormForward<Branch, T> call) {
  constexpr int kWidth = kFours * kColumnsAtOnce;
  constexpr int kGroups = kGroupsPerThread<kFours>;
  constexpr int kRows = kRowsTogether<kFours>;
  RowPart<kFours> x[kGroups][kRows];
  RowPart<kFours> branch[kGroups][kRows];
#pragma unroll
  for (int g = 0; g < kGroups; ++g) {
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      x[g][r].Clear();
      branch[g][r].Clear();
      const int64_t row = FirstRow<kFours>(g) + r;
      if (row >= call.rows) continue;
      x[g][r].Load(call.x + row * kWidth);
      if (call.branch != nullptr) branch[g][r].Load(call.branch + row * kWidth);
    }
  }
  const Dropper dropper(call.dropout);
  RowPart<kFours> weight;
  RowPart<kFours> bias;
  weight.Load(call.norm.weight);
  bias.Load(call.norm.bias);
#pragma unroll
  for (int g = 0; g < kGroups; ++g) {
    const int64_t first_row = FirstRow<kFours>(g);
    if (call.branch != nullptr) {
      Drop(dropper, first_row, branch[g]);
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
        ForEach([](float& sum, float b) { sum += b; }, x[g][r], branch[g][r]);
        if (first_row + r < call.rows) x[g][r].Store(call.sum + (first_row + r) * kWidth);
      }
    }
    NormaliseRows(call.norm, weight, bias, first_row, call.rows, x[g]);
  }
}

/// As AddNormForwardKernel.
template <typename T, int kFours>
__global__ void __launch_bounds__(kRowThreads)
    EmbedNormForwardKernel(const __grid_constant__ EmbedNormForward<T> call) {
  constexpr int kWidth = kFours * kColumnsAtOnce;
  constexpr int kGroups = kGroupsPerThread<kFours>;
  constexpr int kRows = kRowsTogether<kFours>;
  const auto length = static_cast<uint32_t>(call.length);
  RowPart<kFours> sum[kGroups][kRows];
#pragma unroll
  for (int g = 0; g < kGroups; ++g) {
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      sum[g][r].Clear();
      const int64_t row = FirstRow<kFours>(g) + r;
      if (row >= call.rows) continue;
      RowPart<kFours> position;
      position.Load(call.positions + int64_t{static_cast<uint32_t>(row) % length} * kWidth);
      sum[g][r].Load(call.tokens + TokenAt(call.ids, row, call.vocabulary) * kWidth);
      ForEach([](float& sum, float p) { sum += p; }, sum[g][r], position);
    }
  }
  const Dropper dropper(call.dropout);
  const bool normalises = call.norm.out != nullptr;
  RowPart<kFours> weight;
  RowPart<kFours> bias;
  if (normalises) {
    weight.Load(call.norm.weight);
    bias.Load(call.norm.bias);
  }
#pragma unroll
  for (int g = 0; g < kGroups; ++g) {
    const int64_t first_row = FirstRow<kFours>(g);
    Drop(dropper, first_row, sum[g]);
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      if (first_row + r < call.rows) sum[g][r].Store(call.sum + (first_row + r) * kWidth);
    }
    if (normalises) NormaliseRows(call.norm, weight, bias, first_row, call.rows, sum[g]);
  }
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_NORM_FORWARD_CUH_
