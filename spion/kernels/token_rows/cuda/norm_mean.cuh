// The mean over a sequence's tokens of normalised rows of kFours x 64 numbers, which are not
// written.
//
//   y = (s - mean) / deviation
//   out = (weight sum of y + bias count) / length
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_NORM_MEAN_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_NORM_MEAN_CUH_

#include <cmath>
#include <cstdint>

#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/counted_rows.cuh"
#include "spion/kernels/token_rows/cuda/rows.cuh"

namespace spion::cuda {

/// Grid: sequences x MeanParts(length) thread blocks of kRowThreads, each of a part of a sequence.
/// Leaves [gridDim.x, 64 kFours], its sum of y, in scratch.
template <int kFours>
__global__ void __launch_bounds__(kRowThreads)
    NormMeanKernel(const __grid_constant__ NormMean call) {
  constexpr int kWidth = kFours * kColumnsAtOnce;
  static_assert(TakesNormWidth(kWidth));
  constexpr int kRowsInFlight = 8 / kFours;
  alignas(16) __shared__ float buffer[kRowWarps * kWidth];
  const auto length = static_cast<uint32_t>(call.length);
  const auto parts = static_cast<uint32_t>(MeanParts(call.length));
  const uint32_t sequence = blockIdx.x / parts;
  const uint32_t begin = blockIdx.x % parts * kMeanRows;
  const uint32_t end = min(CountedRows(call.lengths, sequence, length), begin + kMeanRows);
  const int64_t first_row = int64_t{sequence} * length;
  RowPart<kFours> sums;
  sums.Clear();
  // The loop's end is the same for a warp, whose lanes exchange numbers.
  for (uint32_t base = begin; base < end; base += kRowsInFlight * kRowsAtOnce) {
    RowPart<kFours> rows[kRowsInFlight];
#pragma unroll
    for (int i = 0; i < kRowsInFlight; ++i) {
      const uint32_t row = base + i * kRowsAtOnce + RowSlot();
      rows[i].Clear();
      if (row < end) rows[i].Load(call.x + (first_row + row) * kWidth);
    }
#pragma unroll
    for (int i = 0; i < kRowsInFlight; ++i) {
      const uint32_t row = base + i * kRowsAtOnce + RowSlot();
      float sum = 0;
      ForEach([&](float v) { sum += v; }, rows[i]);
      const float mean = RowTotal(sum) / kWidth;
      float squares = 0;
      ForEach([&](float v) { squares += (v - mean) * (v - mean); }, rows[i]);
      const float inverse = 1 / sqrtf(RowTotal(squares) / kWidth + call.norm.epsilon);
      // A row that is not there is zeros, as its mean is.
      ForEach([&](float& total, float v) { total = fmaf(v - mean, inverse, total); }, sums,
              rows[i]);
      if (row >= end || RowLane() != 0) continue;
      call.norm.mean[first_row + row] = mean;
      call.norm.inverse_deviation[first_row + row] = inverse;
    }
  }
  WriteBlockSums(sums, buffer, call.scratch + int64_t{blockIdx.x} * kWidth);
}

/// Adds up the parts, in order. Grid: a thread block of `width` threads for each sequence.
static __global__ void NormMeanSumKernel(const __grid_constant__ NormMean call) {
  const auto parts = static_cast<uint32_t>(MeanParts(call.length));
  const int64_t width = call.width;
  const uint32_t column = threadIdx.x;
  const float* part = call.scratch + blockIdx.x * (parts * width) + column;
  float sum = 0;
  for (uint32_t i = 0; i < parts; ++i) sum += part[i * width];
  const auto counted =
      static_cast<float>(CountedRows(call.lengths, blockIdx.x, static_cast<uint32_t>(call.length)));
  call.norm.out[blockIdx.x * width + column] =
      fmaf(call.norm.weight[column], sum, call.norm.bias[column] * counted) /
      static_cast<float>(call.length);
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_NORM_MEAN_CUH_
