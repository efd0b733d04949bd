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
#include "spion/kernels/block_sparse/cuda/line/steps.cuh"
#include "spion/kernels/block_sparse/cuda/line/traits.h"
#include "spion/kernels/cuda_tiles/exponent.cuh"

namespace spion::cuda {

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
  if (group > 0) place.StoreSums(out, kRowsBytes);
  __syncthreads();  // sums are written
  if (group > 0) return;
#pragma unroll 1
  for (int g = 1; g < kGroups; ++g) place.AddSums(out, g * kGroupBytes + kRowsBytes);
}

/// The pattern's rows from first_rank on in the schedule, each by kGroups groups.
///
/// Grid: rows of the pattern x heads x examples. A thread block: kGroups groups of
/// kGroupThreads<kBlock>, with kGroupBytes of dynamic shared memory each. q, k, v, out: [B, H, L,
/// kHeadDim]; blocks of kBlock x kBlock.
template <typename T, int kHeadDim, int kBlock, int kGroups>
__global__ void __launch_bounds__((kGroups * kGroupThreads<kBlock>),
                                  (LineForwardTraits<T, kHeadDim, kBlock>::kThreadsPerSm / kGroups /
                                   kGroupThreads<kBlock>))
    LineForwardKernel(const __grid_constant__ BlockSparseForward<T> call,
                      const int32_t first_rank) {
  using Traits = LineForwardTraits<T, kHeadDim, kBlock>;
  using Place = LineRows<T, kHeadDim, kBlock>;
  using Math = LineMath<T>;
  constexpr uint32_t kTile = Traits::kTileBytes;
  constexpr int kKeys = Traits::kKeysAtOnce;
  BeginLines();

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
  LineSteps<kBlock, RowWalk> steps({line, pattern, valid.length()}, group, kGroups);
  const auto prefetch = [&](int32_t key, uint32_t to) {
    if (key == LineStep::kDone) return;
    place.Prefetch(to, call.k, key);
    place.Prefetch(to + kTile, call.v, key);
  };
  int32_t key = steps.Next().first;
  prefetch(key, stage);
  tiles::CommitCopies();

  const float pruned = PrunedEntries(problem.pruned, problem.length, line.end - line.begin, kBlock);
  RowSoftmax rows[2];
  StartRows(rows, pruned);
  tiles::RowSums<kHeadDim> out;
  const float scale_log2 = problem.scale * tiles::kLog2E;
  tiles::WaitForCopies<1>();
  Math::Round(place, other_stage);
  __syncwarp();  // other lanes' copies
  const LeftRows<Place> q(place, other_stage);

  while (key != LineStep::kDone) {
    tiles::WaitForCopies<0>();
    Math::Round(place, stage);
    Math::Round(place, stage + kTile);
    // This step's tiles are there, and all warps have done with the step before.
    GroupBarrier<kBlock, kGroups>();
    const int32_t next = steps.Next().first;
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

  SumRows(rows, pruned, group == 0);
  GroupBarrier<kBlock, kGroups>();  // nobody reads the group's tiles any more
  if constexpr (kGroups > 1) {
    JoinGroups<T, kHeadDim, kBlock, kGroups>(rows, out, place, memory, group);
    if (group > 0) return;
  }
  float* lse = call.log_sum_exp + FirstRowOf(problem) + first;
  float inverse[2];
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    inverse[r] = InverseSum(rows[r]);
    if (tiles::LaneInGroup() == 0) lse[place.row(r)] = LogSumExp(rows[r]);
  }
  out.Scale(inverse[0], inverse[1]);
  Math::Store(out, 1.0F, place, 0, call.out, first);
  EndLines<kGroups>();
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_FORWARD_CUH_
