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

/// Columns summed over rows, 16 kSixteens of them: their products with ones.
template <int kSixteens>
struct ColumnTotals {
  float sums[kSixteens][4] = {};

  __device__ __forceinline__ void AddFragment(int sixteen, const tiles::Fragment& left) {
    constexpr uint32_t kOnes = 0x3f803f80;  // two of bf16
    AddProduct(sums[sixteen], left, kOnes, kOnes);
  }
  /// Adds kLayerRows shared rows of kBytes.
  template <int kBytes>
  __device__ __forceinline__ void Add(uint32_t at, int column) {
#pragma unroll 4
    for (int rows = 0; rows < kLayerRows / 16; ++rows) {
#pragma unroll
      for (int i = 0; i < kSixteens; ++i) {
        AddFragment(i, LeftColumns<kBytes>(at, rows, column + 16 * i));
      }
    }
  }
  /// Calls write(column, its sum), by one lane of each column.
  template <class Write>
  __device__ __forceinline__ void ForEach(Write&& write) const {
    if (tiles::LaneInGroup() != 0) return;
#pragma unroll
    for (int i = 0; i < kSixteens; ++i) {
      write(16 * i + tiles::LaneGroup(), sums[i][0]);
      write(16 * i + tiles::LaneGroup() + 8, sums[i][2]);
    }
  }
};

/// 16 kSixteens columns of one matrix times 8 kTiles of another, summed over rows. Of the i-th
/// sixteen and tile t the thread has columns g (0, 1) and g + 8 (2, 3) of the left, 8 t + 2 c and
/// 8 t + 2 c + 1 of the right.
template <int kSixteens, int kTiles>
struct ColumnProducts {
  static_assert(kTiles % 2 == 0);
  float sums[kSixteens][kTiles][4] = {};

  /// Adds kLayerRows shared rows of kLeftBytes and of kRightBytes, and those of the left to
  /// `totals`.
  template <int kLeftBytes, int kRightBytes, class... Totals>
  __device__ __forceinline__ void Add(uint32_t left, int left_column, uint32_t right,
                                      int right_column, Totals&... totals) {
    using Right = tiles::SharedRows<kRightBytes>;
    const uint32_t lane = threadIdx.x % 32;
#pragma unroll 4
    for (int rows = 0; rows < kLayerRows / 16; ++rows) {
      tiles::Fragment b[kTiles / 2];
#pragma unroll
      for (int t = 0; t < kTiles / 2; ++t) {
        b[t] = tiles::LoadMatricesTransposed(
            SharedAddress(right) + rows * Right::kSixteenRows +
            Right::Offset(lane % 16, right_column / 8 + 2 * t + lane / 16));
      }
#pragma unroll
      for (int i = 0; i < kSixteens; ++i) {
        const tiles::Fragment a = LeftColumns<kLeftBytes>(left, rows, left_column + 16 * i);
        (totals.AddFragment(i, a), ...);
#pragma unroll
        for (int t = 0; t < kTiles / 2; ++t) {
          AddProduct(sums[i][2 * t], a, b[t].words[0], b[t].words[1]);
          AddProduct(sums[i][2 * t + 1], a, b[t].words[2], b[t].words[3]);
        }
      }
    }
  }

  static constexpr int kFloats = kLayerThreads * kSixteens * kTiles * 4;  // of a thread block

  /// Writes the thread block's sums, scaled, to `to`, in the order in which threads have them.
  __device__ __forceinline__ void Write(float scale, float* to) const {
#pragma unroll
    for (int i = 0; i < kSixteens; ++i) {
#pragma unroll
      for (int t = 0; t < kTiles; ++t) {
        const float(&sum)[4] = sums[i][t];
        tiles::StoreGlobal(to + 4 * ((i * kTiles + t) * kLayerThreads + threadIdx.x),
                           float4{scale * sum[0], scale * sum[1], scale * sum[2], scale * sum[3]});
      }
    }
  }

  struct Place {
    int warp;
    int left;   // column, of the warp's
    int right;  // likewise
  };
  /// Which sum number `index` of what Write leaves is.
  static constexpr __host__ __device__ Place PlaceOf(int index) {
    const int thread = index / 4 % kLayerThreads;
    const int tile = index / 4 / kLayerThreads;
    const int element = index % 4;
    return {thread / 32, 16 * (tile / kTiles) + thread % 32 / 4 + element / 2 * 8,
            8 * (tile % kTiles) + thread % 4 * 2 + element % 2};
  }
};

/// The lanes of a column, each with 2 kHalf sums, share them out: the lane keeps kHalf, those that
/// are named by `kBit` of its group.
template <int kHalf, int kBit>
__device__ __forceinline__ void ShareOut(float (&sums)[16]) {
  const bool keeps_upper = (tiles::LaneGroup() & kBit) != 0;
#pragma unroll
  for (int i = 0; i < kHalf; ++i) {
    const float given = keeps_upper ? sums[i] : sums[i + kHalf];
    const float kept = keeps_upper ? sums[i + kHalf] : sums[i];
    sums[i] = kept + __shfl_xor_sync(tiles::kAllLanes, given, 4 * kBit);
  }
}

/// fp32 rows of a warp, of kLayerWidth, summed: of columns Column() and the next.
struct RowTotals {
  float sums[2] = {};

  __device__ __forceinline__ void Add(const SixteenRows<2>& rows) {
    float both[16];
#pragma unroll
    for (int i = 0; i < 16; ++i) {
      both[i] = rows.eights[0][i / 8].values[i % 8] + rows.eights[1][i / 8].values[i % 8];
    }
    ShareOut<8, 1>(both);
    ShareOut<4, 2>(both);
    ShareOut<2, 4>(both);
    sums[0] += both[0];
    sums[1] += both[1];
  }

  static __device__ __forceinline__ int Column() {
    const int g = tiles::LaneGroup();
    const int number = 8 * (g & 1) + 4 * (g >> 1 & 1) + 2 * (g >> 2);  // of the lane's 16
    return NumberOfRow<float>(number / 8, number % 8);
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
