// How threads share the tokens' rows: 16 lanes a row, each with every 16th four of its numbers, so
// that a warp reads rows in whole lines of memory. A thread has a group of kRowsTogether rows that
// follow each other: eight numbers, two fours of one column, share the bits of a draw.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_ROWS_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_ROWS_CUH_

#include <cstdint>

#include "spion/kernels/cuda_tiles/vectors.cuh"
#include "spion/kernels/token_rows/cuda/dropout.cuh"
#include "spion/kernels/token_rows/cuda/sum_blocks.h"

namespace spion::cuda {

constexpr int kColumnsAtOnce = 4 * kRowLanes;
constexpr int kRowWarps = kRowThreads / 32;

__device__ __forceinline__ uint32_t RowLane() { return threadIdx.x % kRowLanes; }
/// Which of the thread block's groups of rows is the thread's.
__device__ __forceinline__ uint32_t RowSlot() { return threadIdx.x / kRowLanes; }

/// Rows of a group. Of wide ones the registers take one at a time.
template <int kFours>
constexpr int kRowsTogether = kFours <= 2 ? 2 : 1;

/// The lane's part of a row of kFours x 64 numbers.
template <int kFours>
struct RowPart {
  float4 fours[kFours];

  template <typename T>
  __device__ __forceinline__ void Load(const T* row) {
#pragma unroll
    for (int i = 0; i < kFours; ++i) {
      fours[i] = tiles::LoadFour(row + kColumnsAtOnce * i + 4 * RowLane());
    }
  }
  template <typename T>
  __device__ __forceinline__ void Store(T* row) const {
#pragma unroll
    for (int i = 0; i < kFours; ++i) {
      tiles::StoreFour(row + kColumnsAtOnce * i + 4 * RowLane(), fours[i]);
    }
  }
  __device__ __forceinline__ void Clear() {
#pragma unroll
    for (float4& four : fours) four = {0, 0, 0, 0};
  }
};

/// Calls body(number of each part ...) for the lane's numbers.
template <int kFours, class Body, class... Parts>
__device__ __forceinline__ void ForEach(Body&& body, RowPart<kFours>& first, Parts&... others) {
#pragma unroll
  for (int i = 0; i < kFours; ++i) {
    body(first.fours[i].x, others.fours[i].x...);
    body(first.fours[i].y, others.fours[i].y...);
    body(first.fours[i].z, others.fours[i].z...);
    body(first.fours[i].w, others.fours[i].w...);
  }
}

/// The sum over the lanes of a row, in all of them.
__device__ __forceinline__ float RowTotal(float value) {
#pragma unroll
  for (int lanes = kRowLanes / 2; lanes > 0; lanes /= 2) {
    value += __shfl_xor_sync(tiles::kAllLanes, value, lanes);
  }
  return value;
}

/// Dropout of rows first_row ..; two together begin with an even one. Rows 2 r and 2 r + 1 share
/// draws, whether they are together or not.
template <int kFours, int kRows>
__device__ __forceinline__ void Drop(const Dropper& dropper, int64_t first_row,
                                     RowPart<kFours> (&rows)[kRows]) {
  if (!dropper.drops()) return;
  const int64_t first_draw = first_row / 2 * (kFours * kRowLanes) + RowLane();
#pragma unroll
  for (int i = 0; i < kFours; ++i) {
    Kept kept[1];
    dropper.Keep({first_draw + kRowLanes * i}, kept);
    const auto apply = [&](float4& four, int first_pair) {
      dropper.ApplyScaled(kept[0], first_pair, four.x, four.y);
      dropper.ApplyScaled(kept[0], first_pair + 1, four.z, four.w);
    };
    if constexpr (kRows == 2) {
      apply(rows[0].fours[i], 0);
      apply(rows[1].fours[i], 2);
    } else if (first_row % 2 == 0) {
      apply(rows[0].fours[i], 0);
    } else {
      apply(rows[0].fours[i], 2);
    }
  }
}

/// Writes the sums over the thread block's slots to sums[64 kFours]; `buffer`: 64 kFours floats a
/// warp, aligned to 16 bytes.
template <int kFours>
__device__ __forceinline__ void WriteBlockSums(RowPart<kFours>& part, float* buffer, float* sums) {
  constexpr int kColumns = kColumnsAtOnce * kFours;
  ForEach([](float& x) { x += __shfl_xor_sync(tiles::kAllLanes, x, kRowLanes); }, part);
  if (threadIdx.x % 32 < kRowLanes) {
    float* sums_of_warp = buffer + threadIdx.x / 32 * kColumns + 4 * RowLane();
#pragma unroll
    for (int i = 0; i < kFours; ++i) {
      *reinterpret_cast<float4*>(sums_of_warp + kColumnsAtOnce * i) = part.fours[i];
    }
  }
  __syncthreads();  // the warps' sums are in the buffer before any thread adds them up
#pragma unroll 1
  for (int column = static_cast<int>(threadIdx.x); column < kColumns; column += kRowThreads) {
    float sum = 0;
#pragma unroll
    for (int warp = 0; warp < kRowWarps; ++warp) sum += buffer[warp * kColumns + column];
    sums[column] = sum;
  }
  __syncthreads();  // all have read the buffer before the next call overwrites it
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_ROWS_CUH_
