// Sums over the tokens of a thread block: gradients of weights, as products of shared rows, and of
// what is added to every row. Each thread block keeps its own, in registers, over all its tokens;
// sum_parts.cuh adds up the thread blocks.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_LAYER_SUMS_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_LAYER_SUMS_CUH_

#include <cstdint>

#include "spion/kernels/token_rows/cuda/layer_blocks.h"
#include "spion/kernels/token_rows/cuda/sixteen_rows.cuh"
#include "spion/kernels/token_rows/encoder_layer.h"

namespace spion::cuda {

/// 16 columns of shared rows of kBytes, as the left operand that sums over 16 rows.
template <int kBytes>
__device__ __forceinline__ tiles::Fragment LeftColumns(uint32_t at, int sixteen, int column) {
  using Shared = tiles::SharedRows<kBytes>;
  const uint32_t lane = threadIdx.x % 32;
  return tiles::LoadMatricesTransposed(
      SharedAddress(at) + sixteen * Shared::kSixteenRows +
      Shared::Offset(lane % 8 + lane / 16 * 8, column / 8 + lane / 8 % 2));
}

__device__ __forceinline__ void AddProduct(float (&sum)[4], const tiles::Fragment& a, uint32_t b0,
                                           uint32_t b1) {
  tiles::MmaBF16(sum, a.words[0], a.words[1], a.words[2], a.words[3], b0, b1);
}

/// 16 columns of one matrix times 8 kTiles of another, summed over rows. The thread has of tile t
/// columns g (0, 1) and g + 8 (2, 3) of the left, 8 t + 2 c and 8 t + 2 c + 1 of the right.
template <int kTiles>
struct ColumnProducts {
  static_assert(kTiles % 2 == 0);
  float tiles[kTiles][4] = {};

  /// Adds kLayerRows shared rows of kLeftBytes and of kRightBytes.
  template <int kLeftBytes, int kRightBytes>
  __device__ __forceinline__ void Add(uint32_t left, int left_column, uint32_t right,
                                      int right_column) {
    using Right = spion::tiles::SharedRows<kRightBytes>;
    const uint32_t lane = threadIdx.x % 32;
#pragma unroll 2
    for (int sixteen = 0; sixteen < kLayerRows / 16; ++sixteen) {
      const spion::tiles::Fragment a = LeftColumns<kLeftBytes>(left, sixteen, left_column);
#pragma unroll
      for (int t = 0; t < kTiles; t += 2) {
        const spion::tiles::Fragment b = spion::tiles::LoadMatricesTransposed(
            SharedAddress(right) + sixteen * Right::kSixteenRows +
            Right::Offset(lane % 16, right_column / 8 + t + lane / 16));
        AddProduct(tiles[t], a, b.words[0], b.words[1]);
        AddProduct(tiles[t + 1], a, b.words[2], b.words[3]);
      }
    }
  }

  /// Calls write(left column of the 16, right column, sum of it and the next right column).
  template <class Write>
  __device__ __forceinline__ void ForPairs(Write&& write) const {
    const int g = spion::tiles::LaneGroup();
    const int c = spion::tiles::LaneInGroup();
#pragma unroll
    for (int t = 0; t < kTiles; ++t) {
      write(g, 8 * t + 2 * c, float2{tiles[t][0], tiles[t][1]});
      write(g + 8, 8 * t + 2 * c, float2{tiles[t][2], tiles[t][3]});
    }
  }
};

/// 16 columns summed over rows: their products with ones.
struct ColumnTotals {
  float sums[4] = {};

  template <int kBytes>
  __device__ __forceinline__ void Add(uint32_t at, int column) {
    constexpr uint32_t kOnes = 0x3f803f80;  // two of bf16
#pragma unroll 2
    for (int sixteen = 0; sixteen < kLayerRows / 16; ++sixteen) {
      AddProduct(sums, LeftColumns<kBytes>(at, sixteen, column), kOnes, kOnes);
    }
  }
  /// to[0 .. 15], by one warp.
  __device__ __forceinline__ void Write(float* to) const {
    if (spion::tiles::LaneInGroup() != 0) return;
    to[spion::tiles::LaneGroup()] = sums[0];
    to[spion::tiles::LaneGroup() + 8] = sums[2];
  }
};

/// fp32 rows of a warp, of kLayerWidth, summed: of columns Column() and the next.
struct RowTotals {
  float sums[2] = {};

  /// The lanes of a column, which hold eight pairs of rows, share out what they add up: each step
  /// halves the columns of a lane.
  __device__ __forceinline__ void Add(const SixteenRows<2>& rows) {
    float v[16];
#pragma unroll
    for (int i = 0; i < 16; ++i) {
      v[i] = rows.eights[0][i / 8].values[i % 8] + rows.eights[1][i / 8].values[i % 8];
    }
    const int g = spion::tiles::LaneGroup();
#pragma unroll
    for (int step = 0; step < 3; ++step) {
      const int half = 8 >> step;
      const bool keeps_upper = (g >> step & 1) != 0;
#pragma unroll
      for (int i = 0; i < half; ++i) {
        const float given = keeps_upper ? v[i] : v[i + half];
        const float kept = keeps_upper ? v[i + half] : v[i];
        v[i] = kept + __shfl_xor_sync(spion::tiles::kAllLanes, given, 4 << step);
      }
    }
    sums[0] += v[0];
    sums[1] += v[1];
  }

  static __device__ __forceinline__ int Column() {
    const int g = spion::tiles::LaneGroup();
    const int number = 8 * (g & 1) + 4 * (g >> 1 & 1) + 2 * (g >> 2);  // of the lane's 16
    return 8 * EightOfRow(number / 8) + number % 8;
  }
};

/// Adds up the warps' totals and writes them, to[kLayerWidth]. `buffer`: kLayerWarps kLayerWidth
/// floats of shared memory, which nobody else uses until after the next barrier.
__device__ __forceinline__ void WriteTotals(const RowTotals& totals, float* buffer, float* to) {
  __syncthreads();  // what was in the buffer has been read
  float* of_warp = buffer + threadIdx.x / 32 * kLayerWidth + RowTotals::Column();
  of_warp[0] = totals.sums[0];
  of_warp[1] = totals.sums[1];
  __syncthreads();  // the warps' totals are in the buffer before any thread adds them up
  if (threadIdx.x >= kLayerWidth) return;
  float sum = 0;
#pragma unroll
  for (int warp = 0; warp < kLayerWarps; ++warp) sum += buffer[warp * kLayerWidth + threadIdx.x];
  to[threadIdx.x] = sum;
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_LAYER_SUMS_CUH_
