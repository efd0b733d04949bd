// Sums over rows: each thread block adds up its own, sum_parts.cuh the thread blocks.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_COLUMN_SUMS_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_COLUMN_SUMS_CUH_

#include <cstdint>

#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/rows.cuh"

namespace spion::cuda {

/// Grid: ColumnSumBlocks(rows, width) x width / 64 thread blocks of kRowThreads, which share out
/// the rows of x, [rows, width]; blockIdx.y: which 64 columns. Leaves [gridDim.x, width] in
/// scratch, or, of one, the sums.
template <typename T>
__global__ void __launch_bounds__(kRowThreads)
    ColumnSumsKernel(const __grid_constant__ ColumnSums<T> call) {
  static_assert(kColumnsAtOnce == kSumWidthUnit);
  constexpr int kRowsInFlight = 8;
  alignas(16) __shared__ float buffer[kRowWarps * kColumnsAtOnce];
  const T* x = call.x + blockIdx.y * kColumnsAtOnce;
  const int64_t stride = int64_t{gridDim.x} * kRowsAtOnce;
  int64_t row = int64_t{blockIdx.x} * kRowsAtOnce + RowSlot();
  RowPart<1> sums;
  sums.Clear();
  while (row < call.rows) {
    RowPart<1> parts[kRowsInFlight];
#pragma unroll
    for (RowPart<1>& part : parts) {
      part.Clear();
      if (row < call.rows) part.Load(x + row * call.width);
      row += stride;
    }
#pragma unroll
    for (RowPart<1>& part : parts) ForEach([](float& sum, float x) { sum += x; }, sums, part);
  }
  float* to = gridDim.x == 1 ? call.sums : call.scratch + int64_t{blockIdx.x} * call.width;
  WriteBlockSums(sums, buffer, to + blockIdx.y * kColumnsAtOnce);
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_COLUMN_SUMS_CUH_
