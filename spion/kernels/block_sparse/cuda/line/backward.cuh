// The backward kernel by lines: see lines.cuh. Line i is dQ of block row i, dK and dV of
// block column i: every sum has one owner, so no atomics are needed.
//
//   D = rowsum(O * dO)
//   column i: S^T = K Q^T, dP^T = V dO^T, dS = P (dP - D), dV += P^T dO, dK += dS^T Q
//             and dQ += dS K for the diagonal block, whose dS^T goes through shared memory
//   row i:    S = Q K^T,   dP = dO V^T,   dS = P (dP - D), dQ += dS K for the other blocks
//
// SPION's patterns keep the diagonal, most often little else: there P is computed once, and each
// tensor read once.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_BACKWARD_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_BACKWARD_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/common/block.h"
#include "spion/kernels/block_sparse/cuda/common/heads.cuh"
#include "spion/kernels/block_sparse/cuda/line/lines.cuh"
#include "spion/kernels/block_sparse/cuda/line/math.cuh"
#include "spion/kernels/block_sparse/cuda/line/steps.cuh"
#include "spion/kernels/block_sparse/cuda/line/traits.h"
#include "spion/kernels/cuda_tiles/exponent.cuh"

namespace spion::cuda {

/// What a warp adds to its sums.
template <typename T, int kHeadDim, int kBlock, int kGroups>
class LineGradients {
 public:
  using Traits = LineBackwardTraits<T, kHeadDim, kBlock>;
  using Place = LineRows<T, kHeadDim, kBlock>;
  using Math = LineMath<T>;
  using Scores = typename Math::Scores;
  static constexpr int kChunks = kBlock / kChunk;

  __device__ __forceinline__ LineGradients(const Place& place, float scale)
      : place_(place), scale_log2_(scale * tiles::kLog2E) {}

  /// dQ += of a block of the row, whose K and V are in `stage`; the first of its keys.
  __device__ __forceinline__ void Row(uint32_t stage, const tiles::ValidKeys& valid, int32_t key) {
    const LeftRows<Place> q(place_, Traits::kQ);
    const LeftRows<Place> grad(place_, Traits::kGrad);
    const LineStatistics of[2] = {Statistics(Traits::kOwnStats)[place_.row(0)],
                                  Statistics(Traits::kOwnStats)[place_.row(1)]};
    const bool all_valid = valid.all_before(key + kBlock);
#pragma unroll
    for (int chunk = 0; chunk < kChunks; ++chunk) {
      float s[1][2][4] = {};  // 16 queries x 16 keys
      float dp[2][4] = {};
      AddDots(s[0], q, place_, stage, chunk);
      AddDots(dp, grad, place_, stage + Traits::kTileBytes, chunk);
      if (!all_valid) tiles::MaskKeys(s, valid, key + kChunk * chunk);
#pragma unroll
      for (int t = 0; t < 2; ++t) {
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          const float p = tiles::Exp2(fmaf(s[0][t][e], scale_log2_, -of[e / 2].lse_log2));
          dp[t][e] = p * (dp[t][e] - of[e / 2].delta);
        }
      }
      Math::AddProduct(grad_q, Math::Pack(dp), place_, stage, chunk);
    }
  }

  /// dK and dV += of a block of the column, whose Q and dO are in `stage`.
  __device__ __forceinline__ void Column(uint32_t stage, uint32_t stats) {
    ColumnBlock(stage, stage + Traits::kTileBytes, stats, [](int, const Scores&) {});
  }

  /// dQ, dK and dV += of the diagonal block, whose first row and column is `first`. `scratch` is
  /// for dS^T.
  __device__ __forceinline__ void Diagonal(uint32_t scratch, const tiles::ValidKeys& valid,
                                           int32_t first) {
    uint32_t is_valid[2];  // all bits
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      is_valid[r] = valid.at(first + static_cast<int32_t>(place_.row(r))) ? ~0U : 0U;
    }
    ColumnBlock(Traits::kQ, Traits::kGrad, Traits::kOwnStats, [&](int chunk, const Scores& ds) {
      Math::StoreScores(place_, scratch, chunk, ds, is_valid);
    });
    GroupBarrier<kBlock, kGroups>();  // dS^T is written
#pragma unroll
    for (int chunk = 0; chunk < kChunks; ++chunk) {
      Math::AddProduct(grad_q, Math::LoadScores(place_, scratch, chunk), place_, Traits::kK, chunk);
    }
  }

  /// A padded key has no gradient.
  __device__ __forceinline__ void ClearKeys(const tiles::ValidKeys& valid, int32_t first) {
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      if (valid.at(first + static_cast<int32_t>(place_.row(r)))) continue;
      grad_k.ClearRow(r);
      grad_v.ClearRow(r);
    }
  }

  tiles::RowSums<kHeadDim> grad_q;
  tiles::RowSums<kHeadDim> grad_k;
  tiles::RowSums<kHeadDim> grad_v;

 private:
  __device__ __forceinline__ const LineStatistics* Statistics(uint32_t stats) const {
    return reinterpret_cast<const LineStatistics*>(place_.At(stats));
  }

  /// Calls store(chunk, dS^T) for every 16 queries.
  template <class Store>
  __device__ __forceinline__ void ColumnBlock(uint32_t q, uint32_t grad, uint32_t stats,
                                              Store&& store) {
    const LeftRows<Place> k(place_, Traits::kK);
    const LeftRows<Place> v(place_, Traits::kV);
#pragma unroll 1
    for (int chunk = 0; chunk < kChunks; ++chunk) {
      float s[2][4] = {};  // 16 keys x 16 queries
      float dp[2][4] = {};
      AddDots(s, k, place_, q, chunk);
      AddDots(dp, v, place_, grad, chunk);
#pragma unroll
      for (int t = 0; t < 2; ++t) {
        // Log Z and D of two queries.
        const float4 of = *reinterpret_cast<const float4*>(
            &Statistics(stats)[16 * chunk + 8 * t + 2 * tiles::LaneInGroup()]);
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          s[t][e] = tiles::Exp2(fmaf(s[t][e], scale_log2_, e % 2 == 0 ? -of.x : -of.z));
          dp[t][e] = s[t][e] * (dp[t][e] - (e % 2 == 0 ? of.y : of.w));
        }
      }
      Math::AddProduct(grad_v, Math::Pack(s), place_, grad, chunk);
      const Scores ds = Math::Pack(dp);
      store(chunk, ds);
      Math::AddProduct(grad_k, ds, place_, q, chunk);
    }
  }

  Place place_;
  float scale_log2_;
};

/// The pattern's lines from first_rank on in the schedule, each by kGroups groups.
///
/// Grid: lines of the pattern x heads x examples. A thread block: kGroups groups of
/// kGroupThreads<kBlock>, with kGroupBytes of dynamic shared memory each. Tensors are [B, H, L,
/// kHeadDim], blocks kBlock x kBlock.
template <typename T, int kHeadDim, int kBlock, int kGroups>
__global__ void __launch_bounds__((kGroups * kGroupThreads<kBlock>),
                                  (LineBackwardTraits<T, kHeadDim, kBlock>::kThreadsPerSm /
                                   kGroups / kGroupThreads<kBlock>))
    LineBackwardKernel(const __grid_constant__ BlockSparseBackward<T> call,
                       const int32_t first_rank) {
  using Traits = LineBackwardTraits<T, kHeadDim, kBlock>;
  using Place = LineRows<T, kHeadDim, kBlock>;
  using Math = LineMath<T>;
  using Walk = RowAndColumnWalk<Traits::kFusesDiagonal>;
  constexpr uint32_t kTile = Traits::kTileBytes;
  BeginLines();

  const BlockSparseProblem& problem = call.problem;
  const BlockPatternView& pattern = problem.pattern;
  const auto group = static_cast<int32_t>(threadIdx.x) / kGroupThreads<kBlock>;
  const BlockLine* line =
      pattern.schedule.lines + 2 * (FirstLineOf(pattern) + blockIdx.x + first_rank);
  const BlockLine row = line[0];
  const int32_t first = row.line * kBlock;
  const tiles::ValidKeys valid = ValidKeysOf(problem);
  const float* lse = call.log_sum_exp + FirstRowOf(problem);
  char* shared = tiles::SharedMemory() + group * Traits::kGroupBytes;
  const Place place(shared);
  LineGradients<T, kHeadDim, kBlock, kGroups> gradients(place, problem.scale);

  place.Prefetch(Traits::kQ, call.q, first);
  place.Prefetch(Traits::kK, call.k, first);
  place.Prefetch(Traits::kV, call.v, first);
  place.Prefetch(Traits::kGrad, call.grad_out, first);
  place.Prefetch(Traits::kSecondStage, call.out, first);
  Math::PrefetchLse(place, Traits::kOwnStats, lse + first);
  tiles::CommitCopies();

  LineSteps<kBlock, Walk> steps({row, line[1], pattern, first, valid.length()}, group, kGroups);
  const auto is_diagonal = [&](const LineStep& step) {
    return Traits::kFusesDiagonal && step.first == first;
  };
  const auto prefetch = [&](const LineStep& step, uint32_t stage, uint32_t stats) {
    if (step.first == LineStep::kDone || is_diagonal(step)) return;
    if (step.is_row) {
      place.Prefetch(stage, call.k, step.first);
      place.Prefetch(stage + kTile, call.v, step.first);
    } else {
      place.Prefetch(stage, call.q, step.first);
      place.Prefetch(stage + kTile, call.grad_out, step.first);
      place.Prefetch(Traits::kOut, call.out, step.first);
      Math::PrefetchLse(place, stats, lse + step.first);
    }
  };
  uint32_t stage = Traits::kFirstStage;
  uint32_t stats = Traits::kFirstStats;
  LineStep step = steps.Next();
  prefetch(step, stage, stats);
  tiles::CommitCopies();
  tiles::WaitForCopies<1>();
  Math::MakeStatistics(place, Traits::kOwnStats, Traits::kSecondStage, Traits::kGrad);
  for (const uint32_t tile : {Traits::kQ, Traits::kK, Traits::kV, Traits::kGrad}) {
    Math::Round(place, tile);
  }

  while (step.first != LineStep::kDone) {
    tiles::WaitForCopies<0>();
    if (!step.is_row) Math::MakeStatistics(place, stats, Traits::kOut, stage + kTile);
    if (!is_diagonal(step)) {
      Math::Round(place, stage);
      Math::Round(place, stage + kTile);
    }
    // This step's tiles are there, and all warps have done with the step before.
    GroupBarrier<kBlock, kGroups>();
    const uint32_t other_stage = Traits::kFirstStage + Traits::kSecondStage - stage;
    const uint32_t other_stats = Traits::kFirstStats + Traits::kSecondStats - stats;
    const LineStep next = steps.Next();
    prefetch(next, other_stage, other_stats);
    tiles::CommitCopies();
    if (!step.is_row) {
      gradients.Column(stage, stats);
    } else if (is_diagonal(step)) {
      gradients.Diagonal(stage, valid, first);
    } else {
      gradients.Row(stage, valid, step.first);
    }
    step = next;
    stage = other_stage;
    stats = other_stats;
  }

  GroupBarrier<kBlock, kGroups>();  // nobody reads the group's tiles any more
  if constexpr (kGroups > 1) {
    constexpr uint32_t kSums = Place::kSumBytes;
    static_assert(3 * kSums <= Traits::kGroupBytes);
    if (group > 0) {
      place.StoreSums(gradients.grad_q, 0);
      place.StoreSums(gradients.grad_k, kSums);
      place.StoreSums(gradients.grad_v, 2 * kSums);
    }
    __syncthreads();  // sums are written
    if (group > 0) return;
#pragma unroll 1
    for (uint32_t at = Traits::kGroupBytes; at < kGroups * Traits::kGroupBytes;
         at += Traits::kGroupBytes) {
      place.AddSums(gradients.grad_q, at);
      place.AddSums(gradients.grad_k, at + kSums);
      place.AddSums(gradients.grad_v, at + 2 * kSums);
    }
  }
  if (!valid.all_before(first + kBlock)) gradients.ClearKeys(valid, first);
  Math::Store(gradients.grad_q, problem.scale, place, Traits::kQ, call.grad_q, first);
  Math::Store(gradients.grad_k, problem.scale, place, Traits::kK, call.grad_k, first);
  Math::Store(gradients.grad_v, 1.0F, place, Traits::kV, call.grad_v, first);
  EndLines<kGroups>();
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_BACKWARD_CUH_
