// The softmax of a warp's tile of scores, 16 queries x 8 kTiles keys.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_COMMON_SOFTMAX_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_COMMON_SOFTMAX_CUH_

#include <cmath>
#include <cstdint>

#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/cuda_tiles/exponent.cuh"
#include "spion/kernels/cuda_tiles/lanes.cuh"
#include "spion/kernels/cuda_tiles/rows.cuh"

namespace spion::cuda {

/// The online softmax of one row, in powers of two: exp(s) = 2^(s log2 e). The weights are
/// 2^(s - reference); the reference follows the row's maximum lazily, only when a weight would
/// exceed 2^kHeadroom, which fp32 sums and all operand types bear.
struct RowSoftmax {
  static constexpr float kHeadroom = 8;

  float reference = 0;
  float sum = 0;            // of this thread's columns
  float limit = kHeadroom;  // on score - reference; -infinity before the row's first valid score

  /// By how much the reference must rise (or, at the first score, move).
  __device__ __forceinline__ float Shift(float row_maximum) {
    if (limit == kHeadroom) return fmaxf(row_maximum, 0.0F);
    if (row_maximum == -INFINITY) return 0;
    limit = kHeadroom;
    return row_maximum;
  }
};

/// Entries of a row that were pruned and count as score 0, of weight 2^(0 - reference). Before the
/// first score they are all that the row has: its reference, 0, is theirs. By values: of a
/// reference to the call the compiler makes longer code.
__device__ __forceinline__ float PrunedEntries(PrunedScore pruned, int64_t length,
                                               int32_t kept_blocks, int32_t block_size) {
  return pruned == PrunedScore::kZero
             ? static_cast<float>(length - int64_t{kept_blocks} * block_size)
             : 0.0F;
}

/// Before the first score.
__device__ __forceinline__ void StartRows(RowSoftmax (&rows)[2], float pruned) {
  if (pruned == 0) rows[0].limit = rows[1].limit = -INFINITY;
}

/// Turns scores into weights and adds them to the rows' sums; scales `out` when a reference moves.
/// scale_log2 is positive. The reference is taken from a score in one fused operation, always the
/// reference as it is stored: huge scores then lose nothing beside each other, whichever step they
/// come in.
template <int kTiles, int kHeadDim>
__device__ __forceinline__ void OnlineSoftmax(float (&s)[kTiles][4], float scale_log2,
                                              RowSoftmax (&rows)[2],
                                              tiles::RowSums<kHeadDim>& out) {
  bool moves = false;
  float maximum[2];
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    maximum[r] = -INFINITY;
#pragma unroll
    for (int t = 0; t < kTiles; ++t) {
      maximum[r] = fmaxf(maximum[r], fmaxf(s[t][2 * r], s[t][2 * r + 1]));
    }
    maximum[r] = fmaf(maximum[r], scale_log2, -rows[r].reference);
    moves = moves || maximum[r] > rows[r].limit;
  }
  if (__any_sync(tiles::kAllLanes, moves)) {
    float factor[2];
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const bool has_sums = rows[r].limit == RowSoftmax::kHeadroom;
      const float before = rows[r].reference;
      rows[r].reference += rows[r].Shift(tiles::RowMax(maximum[r]));
      factor[r] = has_sums ? tiles::Exp2(before - rows[r].reference) : 0;
      rows[r].sum *= factor[r];
    }
    out.Scale(factor[0], factor[1]);
  }
#pragma unroll
  for (int r = 0; r < 2; ++r) {
#pragma unroll
    for (int t = 0; t < kTiles; ++t) {
      s[t][2 * r] = tiles::Exp2(fmaf(s[t][2 * r], scale_log2, -rows[r].reference));
      s[t][2 * r + 1] = tiles::Exp2(fmaf(s[t][2 * r + 1], scale_log2, -rows[r].reference));
      rows[r].sum += s[t][2 * r] + s[t][2 * r + 1];
    }
  }
}

/// After the last score: the rows' sums become those of all columns, and with_pruned those of the
/// pruned entries come in, which one of those that share a row adds.
__device__ __forceinline__ void SumRows(RowSoftmax (&rows)[2], float pruned, bool with_pruned) {
#pragma unroll
  for (RowSoftmax& row : rows) {
    row.sum = tiles::RowSum(row.sum);
    if (with_pruned && pruned > 0) row.sum += pruned * tiles::Exp2(-row.reference);
  }
}

/// Of rows whose keys were shared out: brings them to one reference and their sums to those of all
/// kParts parts. of(part, r) has a part's reference (-infinity if it saw no valid key) and sum.
/// `factor`: what this part's weighted sums are to be scaled by.
template <int kParts, class Of>
__device__ __forceinline__ void JoinParts(RowSoftmax (&rows)[2], float (&factor)[2], Of&& of) {
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    float highest = -INFINITY;
    for (int part = 0; part < kParts; ++part) highest = fmaxf(highest, of(part, r).x);
    factor[r] = rows[r].sum > 0 ? tiles::Exp2(rows[r].reference - highest) : 0;
    rows[r].reference = highest;
    rows[r].sum = 0;
    for (int part = 0; part < kParts; ++part) {
      const float2 other = of(part, r);
      if (other.y > 0) rows[r].sum += other.y * tiles::Exp2(other.x - highest);
    }
  }
}

/// Of a row that is complete: what makes O of its weighted sums, and log Z.
__device__ __forceinline__ float InverseSum(const RowSoftmax& row) {
  return row.sum > 0 ? 1 / row.sum : 0;
}
__device__ __forceinline__ float LogSumExp(const RowSoftmax& row) {
  return row.sum > 0 ? (row.reference + log2f(row.sum)) * tiles::kLn2 : INFINITY;
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_COMMON_SOFTMAX_CUH_
