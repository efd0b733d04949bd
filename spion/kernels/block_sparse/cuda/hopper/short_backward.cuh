// The backward kernel for Hopper where lines keep few blocks. Line i is dQ of block row i, dK and
// dV of block column i; a thread block of one warpgroup has it: many small ones, some of which load
// while others multiply.
//
//   load Q, K, V, O, dO of the line -> D = dO . O
//   column i: S^T = K Q^T, dP^T = V dO^T, dS = P (dP - D), dV += P^T dO, dK += dS^T Q
//             and dQ += dS K for the diagonal block, whose dS^T goes through shared memory
//   row i:    S = Q K^T,   dP = dO V^T,   dS = P (dP - D), dQ += dS K for the other blocks
//
// Of the diagonal block, most of what SPION's patterns keep, P is computed once.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SHORT_BACKWARD_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SHORT_BACKWARD_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/common/heads.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/short_gradients.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/short_lines.cuh"
#include "spion/kernels/cuda_hopper/tiles.cuh"

namespace spion::cuda::hopper {

template <typename T>
struct ShortBackwardArguments {
  BlockSparseBackward<T> call;
  tiles::TileMap q, k, v, out, grad_out;
};

/// Grid: lines of the pattern x heads x examples, thread blocks of kThreads with kSharedBytes of
/// dynamic shared memory. Tensors are [B, H, L, kHeadDim], blocks 64 x 64.
template <typename T, int kHeadDim>
__global__ void __launch_bounds__((ShortBackwardTraits<kHeadDim>::kThreads),
                                  (ShortBackwardTraits<kHeadDim>::kThreadBlocksPerSm))
    ShortBackwardKernel(const __grid_constant__ ShortBackwardArguments<T> arguments) {
  using Traits = ShortBackwardTraits<kHeadDim>;
  using Block = typename Traits::Block;
  constexpr int kBlock = kGroupRows;
  const BlockSparseBackward<T>& call = arguments.call;
  const BlockSparseProblem& problem = call.problem;
  const BlockPatternView& pattern = problem.pattern;
  char* memory = tiles::SharedMemory();
  const auto shared = static_cast<uint32_t>(__cvta_generic_to_shared(memory));
  const auto stage_of = [&](uint32_t i) {
    return shared + Traits::kFirstStage + i % 2 * Traits::kStageBytes;
  };
  const uint32_t own_barrier = shared + Traits::kBarriers;
  const auto barrier_of = [&](uint32_t i) { return own_barrier + 8 + i % 2 * 8; };
  // The last examples come first: the forward pass, if it was just before, has left them in the L2
  // cache.
  const auto example = static_cast<int32_t>(gridDim.z - 1 - blockIdx.z);
  const auto head = static_cast<int32_t>(blockIdx.y);
  const uint32_t warp = WarpOfThread();
  const bool copies = CopiesTiles(warp);
  if (copies) {
    for (uint32_t i = 0; i < 3; ++i) tiles::InitBarrier(own_barrier + 8 * i, 1);
    tiles::PublishBarriers();
  }
  tiles::WaitForKernelBefore();
  tiles::LetNextKernelStart();

  const BlockLine* line = pattern.schedule.lines + 2 * (FirstLineOf(pattern) + blockIdx.x);
  const BlockLine row = line[0];
  const BlockLine column = line[1];
  const int32_t first = row.line * kBlock;
  const tiles::ValidKeys valid = {problem.padding, static_cast<int32_t>(problem.length), example};
  const int64_t first_row = (int64_t{example} * problem.heads + head) * problem.length;
  const auto copy = [&](uint32_t to, const tiles::TileMap& map, uint32_t barrier, int32_t of) {
    tiles::CopyTile(to, map, barrier, of, head, example);
  };
  const auto copy_lse = [&](uint32_t statistics, uint32_t barrier, int32_t of) {
    tiles::CopyBulk(shared + Traits::kLse + statistics * Traits::kLseBytes,
                    call.log_sum_exp + first_row + of, Traits::kLseBytes, barrier);
  };
  if (copies) {
    tiles::ArriveAnnouncing(own_barrier, 5 * Block::kBytes + Traits::kLseBytes);
    copy(shared + Traits::kScores, arguments.out, own_barrier, first);
    copy(shared + Traits::kGrad, arguments.grad_out, own_barrier, first);
    copy_lse(0, own_barrier, first);
    copy(shared + Traits::kK, arguments.k, own_barrier, first);
    copy(shared + Traits::kQ, arguments.q, own_barrier, first);
    copy(shared + Traits::kV, arguments.v, own_barrier, first);
  }

  ShortSteps steps(pattern, row, column, row.line, (valid.length() + kBlock - 1) / kBlock);
  const auto prefetch = [&](uint32_t i, const ShortStep& step) {
    if (step.is_done() || !copies) return;
    const uint32_t to = stage_of(i);
    const uint32_t barrier = barrier_of(i);
    const int32_t of = step.block() * kBlock;
    tiles::ArriveAnnouncing(
        barrier, step.is_row() ? 2 * Block::kBytes : 3 * Block::kBytes + Traits::kLseBytes);
    copy(to, step.is_row() ? arguments.k : arguments.q, barrier, of);
    copy(to + Block::kBytes, step.is_row() ? arguments.v : arguments.grad_out, barrier, of);
    if (!step.is_row()) {
      copy(to + 2 * Block::kBytes, arguments.out, barrier, of);
      copy_lse(1 + i % 2, barrier, of);
    }
  };
  const bool has_diagonal = steps.HasDiagonal(pattern);
  ShortStep step = steps.Next(pattern);
  prefetch(0, step);
  ShortStep next = steps.Next(pattern);
  prefetch(1, next);
  ShortGradients<T, kHeadDim> gradients(shared, problem.scale);
  __syncthreads();  // the barriers are there
  tiles::WaitForPhase(own_barrier, 0);
  gradients.MakeStatistics(0, shared + Traits::kScores, shared + Traits::kGrad);
  __syncthreads();  // statistics are there, and nobody reads O any more
  if (has_diagonal) gradients.Diagonal(valid, first);
#pragma unroll 1
  for (uint32_t i = 0; !step.is_done(); ++i) {
    const uint32_t stage = stage_of(i);
    const int statistics = 1 + static_cast<int>(i % 2);
    tiles::WaitForPhase(barrier_of(i), i / 2 % 2);
    if (!step.is_row()) {
      gradients.MakeStatistics(statistics, stage + 2 * Block::kBytes, stage + Block::kBytes);
    }
    // Statistics are there, and all warps have done with the step before.
    if (i > 0 || !step.is_row()) __syncthreads();
    if (i > 0) {
      next = steps.Next(pattern);
      prefetch(i + 1, next);
    }
    if (step.is_row()) {
      gradients.Row(stage, valid, step.block() * kBlock);
    } else {
      gradients.Column(stage, statistics);
    }
    step = next;
  }

  if (!valid.all_before(first + kBlock)) gradients.ClearKeys(valid, first);
  __syncthreads();  // nobody reads the own tiles any more
  const auto store = [&](const float(&sums)[kHeadDim / 2], float scale, const HeadTensor<T>& tensor,
                         uint32_t tile) {
    T* of_head =
        tensor.data +
        uint64_t{static_cast<uint32_t>(example)} * static_cast<uint32_t>(tensor.batch_stride) +
        uint64_t{static_cast<uint32_t>(head)} * static_cast<uint32_t>(tensor.head_stride);
    StoreByTile<T, Block>(sums, {scale, scale}, memory, tile, of_head, tensor.row_stride,
                          first + warp * 16);
  };
  store(gradients.grad_q, problem.scale, call.grad_q, Traits::kQ);
  store(gradients.grad_k, problem.scale, call.grad_k, Traits::kK);
  store(gradients.grad_v, 1.0F, call.grad_v, Traits::kV);
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SHORT_BACKWARD_CUH_
