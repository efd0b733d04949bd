// Dropout of rows of kFours x 64 numbers, in one pass.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_DROP_ROWS_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_DROP_ROWS_CUH_

#include <cstdint>

#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/rows.cuh"

namespace spion::cuda {

/// Grid: SumBlocks(rows) thread blocks of kRowThreads, which share out the call's rows.
template <int kFours>
__global__ void __launch_bounds__(kRowThreads)
    DropRowsKernel(const __grid_constant__ DropRows call) {
  constexpr int kWidth = kFours * kColumnsAtOnce;
  constexpr int kRows = kRowsTogether<kFours>;
  constexpr int64_t kBlockRows = kRowsAtOnce * kRows;
  const Dropper dropper(call.dropout);
  for (int64_t base = blockIdx.x * kBlockRows; base < call.rows; base += gridDim.x * kBlockRows) {
    const int64_t first_row = base + RowSlot() * kRows;
    RowPart<kFours> x[kRows];
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      x[r].Clear();
      if (first_row + r < call.rows) x[r].Load(call.x + (first_row + r) * kWidth);
    }
    Drop(dropper, first_row, x);
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      if (first_row + r < call.rows) x[r].Store(call.out + (first_row + r) * kWidth);
    }
  }
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_DROP_ROWS_CUH_
