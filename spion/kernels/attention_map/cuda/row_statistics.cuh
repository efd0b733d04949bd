// First kernel: every row's softmax normaliser, for every head. A warp walks over all keys of its
// 16 or 32 queries:
//
//   load Q -> for each 32 keys: S = Q K^T, online softmax -> reference, log2 of Z relative to it
#ifndef SPION_KERNELS_ATTENTION_MAP_CUDA_ROW_STATISTICS_CUH_
#define SPION_KERNELS_ATTENTION_MAP_CUDA_ROW_STATISTICS_CUH_

#include <cfloat>
#include <cmath>
#include <cstdint>

#include "spion/kernels/attention_map/call.h"
#include "spion/kernels/attention_map/cuda/scores.cuh"
#include "spion/kernels/cuda_tiles/exponent.cuh"
#include "spion/kernels/cuda_tiles/rows.cuh"
#include "spion/kernels/cuda_tiles/valid_keys.cuh"

namespace spion::cuda {

/// The sum of 2^(scale_log2 s) over those of a row's keys that one thread sees; the threads of a
/// row meet only at the end. `sum` is relative to 2^reference, which follows the largest score
/// lazily: no term exceeds 2^kHeadroom, which fp32 sums bear.
class NormalizerSum {
 public:
  /// Adds the terms of row g (kRow = 0) or g + 8 (1). Scores of -infinity add nothing; scale_log2
  /// is positive.
  template <int kRow, int kTiles>
  __device__ __forceinline__ void Add(const float (&s)[kTiles][4], float scale_log2) {
    float maximum = -INFINITY;
#pragma unroll
    for (int t = 0; t < kTiles; ++t) {
      maximum = fmaxf(maximum, fmaxf(s[t][2 * kRow], s[t][2 * kRow + 1]));
    }
    maximum *= scale_log2;
    if (maximum > limit_) {
      sum_ *= tiles::Exp2(reference_ - maximum);
      reference_ = maximum;
      limit_ = maximum + kHeadroom;
    }
#pragma unroll
    for (int t = 0; t < kTiles; ++t) {
      sum_ += tiles::Exp2(fmaf(s[t][2 * kRow], scale_log2, -reference_)) +
              tiles::Exp2(fmaf(s[t][2 * kRow + 1], scale_log2, -reference_));
    }
  }

  /// Of the whole row, in all its threads.
  __device__ __forceinline__ RowStatistics OfRow() const {
    const float highest = tiles::RowMax(reference_);
    const float sum = tiles::RowSum(sum_ * tiles::Exp2(reference_ - highest));
    return {highest, sum == 0 ? INFINITY : log2f(sum)};
  }

 private:
  static constexpr float kHeadroom = 8;

  float reference_ = -FLT_MAX;  // finite, so that a score of -infinity stays one
  float limit_ = -FLT_MAX;
  float sum_ = 0;
};

constexpr int kStatisticsWarps = 4;

template <class Math, int kHeadDim>
constexpr int kStatisticsRows = kStatisticsWarps* ScoreTile<Math, kHeadDim>::kRows;

/// Grid: row_blocks thread blocks of kStatisticsWarps warps for every head of some, from first_head
/// on. Thread block row_blocks (b H + h - first_head) + i has rows kStatisticsRows i .. of head h
/// of example b. q, k: [B, H, L, kHeadDim]; row_statistics: [B, H, L].
template <class Math, int kHeadDim>
__global__ void __launch_bounds__(32 * kStatisticsWarps)
    RowStatisticsKernel(const __grid_constant__ AttentionMapCall<typename Math::Element> call,
                        const uint32_t row_blocks, const uint32_t first_head) {
  using Tile = ScoreTile<Math, kHeadDim>;
  using Pointer = typename Tile::Pointer;
  const auto length = static_cast<int32_t>(call.length);
  const auto heads = static_cast<uint32_t>(call.heads);
  const uint32_t head_of_batch = first_head + blockIdx.x / row_blocks;
  const auto example = static_cast<int32_t>(head_of_batch / heads);
  const auto head = static_cast<int32_t>(head_of_batch % heads);
  const auto row = static_cast<int32_t>(blockIdx.x % row_blocks * kStatisticsRows<Math, kHeadDim> +
                                        threadIdx.x / 32 * Tile::kRows);
  if (row >= length) return;

  const tiles::ValidKeys valid(call.padding, length, example);
  const Pointer q_rows(call.q.head(example, head), call.q.row_stride);
  const Pointer k_rows(call.k.head(example, head), call.k.row_stride);
  const float scale_log2 = call.scale * tiles::kLog2E;
  typename Tile::Queries q;
  typename Tile::Keys k;
  LoadTiles(q, q_rows, row, length);
  LoadTiles(k, k_rows, 0, length);
  RoundTiles(q);

  NormalizerSum sums[Tile::kRowTiles][2];  // rows g, g + 8
  for (int32_t key = 0; key < valid.length(); key += Tile::kKeys) {
    typename Tile::Scores s;
    RoundTiles(k);
    Tile::Multiply(s, q, k);
    LoadTiles(k, k_rows, key + Tile::kKeys, length);  // on their way during the exponentials
    if (!valid.all_before(key + Tile::kKeys)) tiles::MaskKeys(s, valid, key);
#pragma unroll
    for (int i = 0; i < Tile::kRowTiles; ++i) {
      sums[i][0].template Add<0>(s[i], scale_log2);
      sums[i][1].template Add<1>(s[i], scale_log2);
    }
  }

  auto* statistics =
      reinterpret_cast<RowStatistics*>(call.row_statistics) + int64_t{head_of_batch} * length;
#pragma unroll
  for (int i = 0; i < Tile::kRowTiles; ++i) {
    const int32_t first = row + kTileRows * i;
    const RowStatistics low = sums[i][0].OfRow();
    const RowStatistics high = sums[i][1].OfRow();
    if (first >= length || tiles::LaneInGroup() != 0) continue;
    statistics[first + tiles::LaneGroup()] = low;
    statistics[first + tiles::LaneGroup() + 8] = high;
  }
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_ATTENTION_MAP_CUDA_ROW_STATISTICS_CUH_
