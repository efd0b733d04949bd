// Sums over rows in two launches: each thread block adds up its rows, then one adds up the blocks.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_COLUMN_SUMS_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_COLUMN_SUMS_CUH_

#include <cstdint>

#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/rows.cuh"

namespace spion::cuda {

/// blockIdx.y: which 64 columns. Leaves [gridDim.x, width] in scratch.
template <typename T>
__global__ void __launch_bounds__(kRowThreads)
    ColumnSumsKernel(const __grid_constant__ ColumnSums<T> call) {
  constexpr int kRowsInFlight = 8;
  __shared__ float buffer[kRowWarps * kColumnsAtOnce];
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
  WriteBlockSums(sums, buffer,
                 call.scratch + blockIdx.x * call.width + blockIdx.y * kColumnsAtOnce);
}

constexpr int kPartColumns = 32;  // of a thread block
constexpr int kPartSlices = 32;

/// sums[c] = sum over p of parts[p][c]. A thread block has 32 columns.
__global__ void __launch_bounds__(kPartColumns* kPartSlices)
    SumPartsKernel(const float* parts, int32_t count, int32_t columns, float* sums) {
  __shared__ float buffer[kPartSlices][kPartColumns];
  const uint32_t column = threadIdx.x % kPartColumns;
  const uint32_t slice = threadIdx.x / kPartColumns;
  const float* from = parts + blockIdx.x * kPartColumns + column;
  float sum = 0;
  for (auto part = static_cast<int32_t>(slice); part < count; part += kPartSlices) {
    sum += from[int64_t{part} * columns];
  }
  buffer[slice][column] = sum;
  __syncthreads();
  if (slice > 0) return;
  for (int other = 1; other < kPartSlices; ++other) sum += buffer[other][column];
  sums[blockIdx.x * kPartColumns + column] = sum;
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_COLUMN_SUMS_CUH_
