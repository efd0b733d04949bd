// The forward kernel for Hopper where lines keep few blocks. A line is a block row of 64 queries,
// which a thread block of one warpgroup has: many small ones, some of which load while others
// multiply.
//
//   load Q -> for each kept block: S = Q K^T, online softmax, O += P V -> O / Z, log Z
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SHORT_FORWARD_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SHORT_FORWARD_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/common/heads.cuh"
#include "spion/kernels/block_sparse/cuda/common/softmax.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/forward.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/short_lines.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/softmax.cuh"
#include "spion/kernels/cuda_hopper/mask_keys.cuh"
#include "spion/kernels/cuda_hopper/tiles.cuh"
#include "spion/kernels/cuda_tiles/exponent.cuh"

namespace spion::cuda::hopper {

/// Shared memory: Q, two stages of K and V, the stages' barriers.
template <int kHeadDim>
struct ShortForwardTraits {
  using Rows = Tile<kGroupRows, kHeadDim>;
  static constexpr int kThreads = kGroupThreads;
  static constexpr int kThreadBlocksPerSm = 6;
  static constexpr uint32_t kFirstStage = Rows::kBytes;
  static constexpr uint32_t kStageBytes = 2 * Rows::kBytes;
  static constexpr uint32_t kBarriers = kFirstStage + 2 * kStageBytes;
  static constexpr int kSharedBytes = kBarriers + 2 * 8;
};

/// Grid: rows of the pattern x heads x examples, thread blocks of kThreads with kSharedBytes of
/// dynamic shared memory. q, k, v, out: [B, H, L, kHeadDim]; blocks of 64 x 64.
template <typename T, int kHeadDim>
__global__ void __launch_bounds__((ShortForwardTraits<kHeadDim>::kThreads),
                                  (ShortForwardTraits<kHeadDim>::kThreadBlocksPerSm))
    ShortForwardKernel(const __grid_constant__ ForwardArguments<T> arguments) {
  using Traits = ShortForwardTraits<kHeadDim>;
  using Rows = typename Traits::Rows;
  constexpr int kBlock = kGroupRows;
  const BlockSparseForward<T>& call = arguments.call;
  const BlockSparseProblem& problem = call.problem;
  const BlockPatternView& pattern = problem.pattern;
  char* memory = tiles::SharedMemory();
  const auto shared = static_cast<uint32_t>(__cvta_generic_to_shared(memory));
  const auto stage_of = [&](uint32_t i) {
    return shared + Traits::kFirstStage + i % 2 * Traits::kStageBytes;
  };
  const auto barrier_of = [&](uint32_t i) { return shared + Traits::kBarriers + i % 2 * 8; };
  const uint32_t warp = WarpOfThread();
  const bool copies = CopiesTiles(warp);
  if (copies) {
    tiles::InitBarrier(barrier_of(0), 1);
    tiles::InitBarrier(barrier_of(1), 1);
    tiles::PublishBarriers();
  }
  tiles::WaitForKernelBefore();
  tiles::LetNextKernelStart();

  BlockLine line = pattern.schedule.rows[FirstLineOf(pattern) + blockIdx.x];
  const int32_t first = line.line * kBlock;
  const tiles::ValidKeys valid = ValidKeysOf(problem);
  const auto copy = [&](uint32_t to, const tiles::TileMap& map, uint32_t barrier, int32_t row) {
    tiles::CopyTile(to, map, barrier, row, static_cast<int32_t>(blockIdx.y),
                    static_cast<int32_t>(blockIdx.z));
  };
  const auto prefetch = [&](uint32_t i, const ShortStep& step) {
    if (step.is_done() || !copies) return;
    tiles::ArriveAnnouncing(barrier_of(i), i == 0 ? 3 * Rows::kBytes : 2 * Rows::kBytes);
    if (i == 0) copy(shared, arguments.q, barrier_of(i), first);
    copy(stage_of(i), arguments.k, barrier_of(i), step.block() * kBlock);
    copy(stage_of(i) + Rows::kBytes, arguments.v, barrier_of(i), step.block() * kBlock);
  };
  const float pruned = PrunedEntries(problem.pruned, problem.length, line.end - line.begin, kBlock);
  const int32_t limit = (valid.length() + kBlock - 1) / kBlock;
  ShortStep step;
  if (line.begin < line.end && line.first < limit) step = {line.first, true};
  prefetch(0, step);
  ++line.begin;
  ShortSteps steps(pattern, line, {}, -1, limit);
  ShortStep next = steps.Next(pattern);
  prefetch(1, next);

  RowSoftmax rows[2];
  StartRows(rows, pruned);
  const float scale_log2 = problem.scale * tiles::kLog2E;
  float out[kHeadDim / 2] = {};
  __syncthreads();  // the barriers are there
#pragma unroll 1
  for (uint32_t i = 0; !step.is_done(); ++i) {
    const uint32_t stage = stage_of(i);
    const int32_t key = step.block() * kBlock;
    float s[kBlock / 2];
    float factor[2];
    uint32_t weights[kBlock / kStep][4];
    tiles::WaitForPhase(barrier_of(i), i / 2 % 2);
    tiles::BeginProducts();
    ProductWithRows<T, Rows, Rows>(s, shared, 0, stage, 0);
    tiles::CommitProducts();
    tiles::WaitForProducts<0>();
    tiles::Receive(s);
    if (!valid.all_before(key + kBlock)) MaskKeys(s, valid, key);
    if (Weigh(s, scale_log2, rows, factor)) {
#pragma unroll
      for (int j = 0; j < kHeadDim / 2; ++j) out[j] *= factor[j / 2 % 2];
    }
    PackWeights<T>(weights, s);
    tiles::BeginProducts();
    ProductOfWeights<T, Rows>(out, weights, stage + Rows::kBytes, 0);
    tiles::CommitProducts();
    step = next;
    if (!step.is_done()) next = steps.Next(pattern);
    tiles::WaitForProducts<0>();
    tiles::Receive(out);
    if (!next.is_done()) {
      __syncthreads();  // all warps have done with the stage
      prefetch(i + 2, next);
    }
  }

  SumRows(rows, pruned, true);
  const uint32_t row = first + warp * 16;
  float* lse = call.log_sum_exp + FirstRowOf(problem) + row + tiles::LaneGroup();
  float inverse[2];
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    inverse[r] = InverseSum(rows[r]);
    if (tiles::LaneInGroup() == 0) lse[8 * r] = LogSumExp(rows[r]);
  }
  __syncthreads();  // nobody reads Q any more
  StoreByTile<T, Rows>(out, inverse, memory, 0, HeadOf(call.out), call.out.row_stride, row);
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SHORT_FORWARD_CUH_
