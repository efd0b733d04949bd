// The gradient of an embedding of kFours x 64 numbers: its dropout and the sums by position in one
// pass.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_EMBED_BACKWARD_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_EMBED_BACKWARD_CUH_

#include <cstdint>

#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/rows.cuh"

namespace spion::cuda {

/// Grid: a thread block of kRowThreads for each position, which share out the sequences.
template <int kFours>
__global__ void __launch_bounds__(kRowThreads)
    EmbedBackwardKernel(const __grid_constant__ EmbedBackward call) {
  constexpr int kWidth = kFours * kColumnsAtOnce;
  constexpr int kRowsInFlight = 8 / kFours;
  alignas(16) __shared__ float buffer[kRowWarps * kWidth];
  const Dropper dropper(call.dropout);
  int64_t row = int64_t{RowSlot()} * call.length + blockIdx.x;
  RowPart<kFours> sums;
  sums.Clear();
  while (row < call.rows) {
    RowPart<kFours> x[kRowsInFlight][1];
    const auto row_of = [&](int i) { return row + i * kRowsAtOnce * call.length; };
#pragma unroll
    for (int i = 0; i < kRowsInFlight; ++i) {
      x[i][0].Clear();
      if (row_of(i) < call.rows) x[i][0].Load(call.grad + row_of(i) * kWidth);
    }
#pragma unroll
    for (int i = 0; i < kRowsInFlight; ++i) {
      Drop(dropper, row_of(i), x[i]);
      ForEach([](float& sum, float x) { sum += x; }, sums, x[i][0]);
      if (row_of(i) < call.rows) x[i][0].Store(call.out + row_of(i) * kWidth);
    }
    row = row_of(kRowsInFlight);
  }
  WriteBlockSums(sums, buffer, call.positions + int64_t{blockIdx.x} * kWidth);
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_EMBED_BACKWARD_CUH_
