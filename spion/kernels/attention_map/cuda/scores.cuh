// What both kernels share: a warp's tile of scores of one head, 16 kRowTiles queries x 16 kKeyTiles
// keys, and what the first tells the second about each row.
//
// Tiles may reach beyond the last row. L is a multiple of 16, so 16 rows are either all there or
// all beyond; those beyond are loaded as the last 16 that are there. Keys beyond are then masked
// like padding, queries beyond are not stored.
#ifndef SPION_KERNELS_ATTENTION_MAP_CUDA_SCORES_CUH_
#define SPION_KERNELS_ATTENTION_MAP_CUDA_SCORES_CUH_

#include <cstdint>
#include <type_traits>

#include "spion/kernels/cuda_tiles/rows.cuh"

namespace spion::cuda {

constexpr int kTileRows = 16;

/// How much of Q and K a warp holds: 32 rows of Q where a thread's share of 16 is at most 16
/// registers; K in registers up to a share of 32, and beyond (fp32, d = 128) left in memory.
template <class Math, int kHeadDim>
struct ScoreTile {
  static constexpr int kShare = 2 * tiles::RowLayout<Math, kHeadDim>::kWordsPerRow / 4;
  static constexpr int kRowTiles = kShare <= 16 ? 2 : 1;
  static constexpr int kKeyTiles = 2;
  static constexpr int kRows = kTileRows * kRowTiles;
  static constexpr int kKeys = kTileRows * kKeyTiles;

  using Pointer = tiles::RowPointer<Math, kHeadDim>;
  using Queries = tiles::RegisterRows<Math, kHeadDim>[kRowTiles];
  using Keys = std::conditional_t<kShare <= 32, tiles::RegisterRows<Math, kHeadDim>,
                                  tiles::StreamedRows<Math, kHeadDim>>[kKeyTiles];
  /// s[i][t] is 16 x 8: queries 16 i .., keys 8 t ..; math.cuh has the layout.
  using Scores = float[kRowTiles][2 * kKeyTiles][4];

  /// q k^T of rounded rows
  static __device__ __forceinline__ void Multiply(Scores& s, const Queries& q, const Keys& k) {
#pragma unroll
    for (int j = 0; j < kKeyTiles; ++j) {
#pragma unroll
      for (int i = 0; i < kRowTiles; ++i) tiles::MultiplyTransposed(&s[i][2 * j], q[i], k[j]);
    }
  }
};

/// What makes probabilities of a row's scores: 2^(scale_log2 s - reference - log2_sum). A score of
/// 10,000 has steps of 1 / 1000 in fp32, and so would log2 Z, which is the sum of these two: so
/// they stay apart, and both kernels take the reference from a score in one fused operation, which
/// rounds the difference after it has become small.
struct alignas(8) RowStatistics {
  float reference;
  float log2_sum;  // +infinity where there is no valid key
};

/// The row to load for `row`, the first of 16.
__device__ __forceinline__ int32_t RowWithin(int32_t row, int32_t length) {
  return min(row, length - kTileRows);
}

/// kTiles x 16 rows from first_row on.
template <class Rows, int kTiles, class Pointer>
__device__ __forceinline__ void LoadTiles(Rows (&tiles)[kTiles], const Pointer& rows,
                                          int32_t first_row, int32_t length) {
#pragma unroll
  for (int i = 0; i < kTiles; ++i) {
    tiles[i].Load(rows, RowWithin(first_row + kTileRows * i, length));
  }
}

/// To the numbers that are multiplied.
template <class Rows, int kTiles>
__device__ __forceinline__ void RoundTiles(Rows (&tiles)[kTiles]) {
#pragma unroll
  for (Rows& rows : tiles) rows.Round();
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_ATTENTION_MAP_CUDA_SCORES_CUH_
