// The forward kernel by lines: see lines.cuh. A line is a block row.
//
//   load Q -> for each kept block: S = Q K^T, online softmax, O += P V -> O / Z, log Z
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_FORWARD_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_FORWARD_CUH_

#include <cmath>
#include <cstdint>

#include "spion/kernels/block_sparse/cuda/common/heads.cuh"
#include "spion/kernels/block_sparse/cuda/common/softmax.cuh"
#include "spion/kernels/block_sparse/cuda/line/lines.cuh"
#include "spion/kernels/block_sparse/cuda/line/math.cuh"
#include "spion/kernels/block_sparse/cuda/line/traits.h"
#include "spion/kernels/cuda_tiles/exponent.cuh"

namespace spion::cuda {

/// The blocks of a row that lie below a limit.
template <int kBlock>
class RowSteps {
 public:
  static constexpr int32_t kDone = -1;

  /// Every parts-th block, from the part-th on.
  __device__ __forceinline__ RowSteps(const BlockLine& row, const int32_t* row_columns,
                                      int32_t key_limit, int32_t part, int32_t parts)
      : columns_(row_columns),
        at_(row.begin + part),
        end_(row.end),
        parts_(parts),
        key_limit_(key_limit),
        ahead_(part == 0 ? row.first : ReadAhead()) {}

  /// The first key of the next block.
  __device__ __forceinline__ int32_t Next() {
    const int32_t key = ahead_ * kBlock;
    if (at_ >= end_ || key >= key_limit_) return kDone;  // columns ascend
    at_ += parts_;
    ahead_ = ReadAhead();  // a whole step before its use
    return key;
  }

 private:
  __device__ __forceinline__ int32_t ReadAhead() const { return at_ < end_ ? columns_[at_] : 0; }

  const int32_t* columns_;
  int32_t at_;
  int32_t end_;
  int32_t parts_;
  int32_t key_limit_;
  int32_t ahead_;
};

/// The groups have each walked some of the line's blocks: brings their sums to one reference and
/// adds them up in group 0. Row sums are over all columns by now; the group's memory is free.
template <typename T, int kHeadDim, int kBlock, int kGroups>
__device__ __forceinline__ void JoinGroups(RowSoftmax (&rows)[2], tiles::RowSums<kHeadDim>& out,
                                           const LineRows<T, kHeadDim, kBlock>& place, char* memory,
                                           int32_t group) {
  constexpr int kGroupBytes = LineForwardTraits<T, kHeadDim, kBlock>::kGroupBytes;
  constexpr int kRowsBytes = kBlock * static_cast<int>(sizeof(float2));
  static_assert(kRowsBytes + LineRows<T, kHeadDim, kBlock>::kSumBytes <= kGroupBytes);
  const auto of_row = [&](int g, int r) -> float2& {  // reference, sum
    return reinterpret_cast<float2*>(memory + g * kGroupBytes)[place.row(r)];
  };
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    // A group that saw no valid key has no say in the reference.
    of_row(group, r) = {rows[r].sum > 0 ? rows[r].reference : -INFINITY, rows[r].sum};
  }
  __syncthreads();  // all references and sums are written
  float factor[2];
  JoinParts<kGroups>(rows, factor, of_row);
  out.Scale(factor[0], factor[1]);
  if (group > 0) place.KeepSums(out, kRowsBytes);
  __syncthreads();  // sums are written
  if (group > 0) return;
#pragma unroll 1
  for (int g = 1; g < kGroups; ++g) place.AddSums(out, g * kGroupBytes + kRowsBytes);
}

/// The pattern's rows from first_rank on, each by kGroups groups.
template <typename T, int kHeadDim, int kBlock, int kGroups>
__global__ void __launch_bounds__((kGroups * kGroupThreads<kBlock>),
                                  (LineForwardTraits<T, kHeadDim, kBlock>::kThreadsAnSm / kGroups /
                                   kGroupThreads<kBlock>))
    LineForwardKernel(const __grid_constant__ BlockSparseForward<T> call,
                      const int32_t first_rank) {
  using Traits = LineForwardTraits<T, kHeadDim, kBlock>;
  using Place = LineRows<T, kHeadDim, kBlock>;
  using Math = LineMath<T>;
  using Steps = RowSteps<kBlock>;
  constexpr uint32_t kTile = Traits::kTileBytes;
  constexpr int kKeys = Traits::kKeysAtOnce;
  BeginLines<kGroups>();

  const BlockSparseProblem& problem = call.problem;
  const BlockPatternView& pattern = problem.pattern;
  const auto group = static_cast<int32_t>(threadIdx.x) / kGroupThreads<kBlock>;
  const BlockLine line = pattern.schedule.rows[FirstLineOf(pattern) + blockIdx.x + first_rank];
  const int32_t first = line.line * kBlock;
  const tiles::ValidKeys valid = ValidKeysOf(problem);
  char* memory = tiles::SharedMemory();
  const Place place(memory + group * Traits::kGroupBytes);

  uint32_t stage = 0;
  uint32_t other_stage = Traits::kStageBytes;
  place.Prefetch(other_stage, call.q, first);
  tiles::CommitCopies();
  Steps steps(line, pattern.row_columns, valid.length(), group, kGroups);
  const auto prefetch = [&](int32_t key, uint32_t to) {
    if (key == Steps::kDone) return;
    place.Prefetch(to, call.k, key);
    place.Prefetch(to + kTile, call.v, key);
  };
  int32_t key = steps.Next();
  prefetch(key, stage);
  tiles::CommitCopies();

  const auto kept = static_cast<float>(int64_t{line.end - line.begin} * kBlock);
  const float pruned = problem.pruned == PrunedScore::kZero
                           ? static_cast<float>(problem.length) - kept
                           : 0.0F;  // entries of score 0, weight 2^(0 - reference)
  RowSoftmax rows[2];
  if (pruned == 0) rows[0].limit = rows[1].limit = -INFINITY;
  tiles::RowSums<kHeadDim> out;
  const float scale_log2 = problem.scale * tiles::kLog2E;
  tiles::WaitForCopies<1>();
  Math::Round(place, other_stage);
  __syncwarp();  // other lanes' copies
  const LeftRows<Place> q(place, other_stage);

  while (key != Steps::kDone) {
    tiles::WaitForCopies<0>();
    Math::Round(place, stage);
    Math::Round(place, stage + kTile);
    // This step's tiles are there, and all warps have done with the step before.
    GroupBarrier<kBlock, kGroups>();
    const int32_t next = steps.Next();
    prefetch(next, other_stage);
    tiles::CommitCopies();
#pragma unroll
    for (int part = 0; part < kBlock; part += kKeys) {
      float s[1][kKeys / 8][4] = {};  // 16 queries x kKeys keys
#pragma unroll
      for (int i = 0; i < kKeys / 16; ++i) {
        AddDots(&s[0][2 * i], q, place, stage, part / 16 + i);
      }
      if (!valid.all_before(key + part + kKeys)) tiles::MaskKeys(s, valid, key + part);
      OnlineSoftmax(s[0], scale_log2, rows, out);
#pragma unroll
      for (int i = 0; i < kKeys / 16; ++i) {
        Math::AddProduct(out, Math::Pack(&s[0][2 * i]), place, stage + kTile, part / 16 + i);
      }
    }
    key = next;
    const uint32_t done = stage;
    stage = other_stage;
    other_stage = done;
  }

#pragma unroll
  for (RowSoftmax& row : rows) {
    row.sum = tiles::RowSum(row.sum);
    if (group == 0 && pruned > 0) row.sum += pruned * tiles::Exp2(-row.reference);
  }
  GroupBarrier<kBlock, kGroups>();  // nobody reads the group's tiles any more
  if constexpr (kGroups > 1) {
    JoinGroups<T, kHeadDim, kBlock, kGroups>(rows, out, place, memory, group);
    if (group > 0) return;
  }
  float* lse = call.log_sum_exp + FirstRowOf(problem) + first;
  float inverse[2];
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const bool any = rows[r].sum > 0;
    inverse[r] = any ? 1 / rows[r].sum : 0;
    if (tiles::LaneInGroup() == 0) {
      lse[place.row(r)] = any ? (rows[r].reference + log2f(rows[r].sum)) * tiles::kLn2 : INFINITY;
    }
  }
  out.Scale(inverse[0], inverse[1]);
  Math::Store(out, 1.0F, place, 0, call.out, first);
  EndLines<kGroups>();
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_FORWARD_CUH_
