// The forward kernel. A unit is 16 kTiles queries.
//
//   load Q -> for each 16 kTiles keys of a kept block: S = Q K^T, online softmax, O += P V
//          -> O / Z, log Z
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_WARP_FORWARD_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_WARP_FORWARD_CUH_

#include <cmath>

#include "spion/kernels/block_sparse/cuda/common/block.h"
#include "spion/kernels/block_sparse/cuda/common/heads.cuh"
#include "spion/kernels/block_sparse/cuda/common/softmax.cuh"
#include "spion/kernels/block_sparse/cuda/warp/join.cuh"
#include "spion/kernels/block_sparse/cuda/warp/pipeline.cuh"
#include "spion/kernels/block_sparse/cuda/warp/traits.h"
#include "spion/kernels/block_sparse/cuda/warp/work.cuh"
#include "spion/kernels/cuda_tiles/exponent.cuh"
#include "spion/kernels/cuda_tiles/rows.cuh"

namespace spion::cuda {

/// Sums and references of the 16 rows of a tile, as each warp has them.
struct JoinRowsBuffer {
  float references[kWarps][kChunk];
  float sums[kWarps][kChunk];
};

/// The warps of the thread block have each walked some of the unit's blocks: brings their sums to
/// one reference and joins them in warp 0. Row sums are over all columns by now.
template <int kHeadDim>
__device__ __forceinline__ void JoinRows(RowSoftmax (&rows)[2], tiles::RowSums<kHeadDim>& out,
                                         JoinRowsBuffer& shared, JoinBuffer<kHeadDim>& buffer) {
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int g = tiles::LaneGroup();
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    // A warp that saw no valid key has no say in the reference.
    shared.references[warp][g + 8 * r] = rows[r].sum > 0 ? rows[r].reference : -INFINITY;
    shared.sums[warp][g + 8 * r] = rows[r].sum;
  }
  __syncthreads();  // all references and sums are written
  float factor[2];
  JoinParts<kWarps>(rows, factor, [&](int w, int r) -> float2 {
    return {shared.references[w][g + 8 * r], shared.sums[w][g + 8 * r]};
  });
  out.Scale(factor[0], factor[1]);
  JoinSums(out, buffer);  // ends with a barrier: the shared rows are read
}

template <class Math, int kHeadDim, int kTiles>
struct ForwardTraits : WarpForwardTraits<typename Math::Element, kHeadDim, kTiles> {
  using WalkedRows = tiles::WalkedRows<Math, kHeadDim>;
  static_assert((kWalkedBytes<typename Math::Element, kHeadDim>) == WalkedRows::kStageBytes);
};

/// Grid: ThreadBlocksPerHead x heads x examples, of thread blocks of kThreads with kRingBytes of
/// dynamic shared memory a warp. q, k, v, out: [B, H, L, kHeadDim]; a block has 2^log2_units units
/// of 16 kTiles rows.
template <class Math, int kHeadDim, int kTiles>
__global__ void __launch_bounds__(kThreads,
                                  (ForwardTraits<Math, kHeadDim, kTiles>::kThreadBlocksPerSm))
    ForwardKernel(const __grid_constant__ BlockSparseForward<typename Math::Element> call,
                  const int log2_units) {
  using Traits = ForwardTraits<Math, kHeadDim, kTiles>;
  using Pointer = tiles::RowPointer<Math, kHeadDim>;
  using WalkedRows = typename Traits::WalkedRows;
  constexpr int kRows = Traits::kRows;
  const BlockSparseProblem& problem = call.problem;
  const BlockPatternView& pattern = problem.pattern;
  const auto block_size = static_cast<int32_t>(problem.block_size);
  const Unit unit(pattern.blocks_per_side, pattern.schedule.long_rows, log2_units);
  if (!unit.exists) return;

  const BlockLine line = pattern.schedule.rows[FirstLineOf(pattern) + unit.rank];
  const int32_t query = line.line * block_size + unit.in_line * kRows;
  const Pointer q_rows(HeadOf(call.q), call.q.row_stride);
  const Pointer k_rows(HeadOf(call.k), call.k.row_stride);
  const Pointer v_rows(HeadOf(call.v), call.v.row_stride);
  const tiles::ValidKeys valid = ValidKeysOf(problem);
  tiles::RegisterRows<Math, kHeadDim> q[kTiles];
#pragma unroll
  for (int i = 0; i < kTiles; ++i) q[i].Load(q_rows, query + kChunk * i);

  const float pruned =
      PrunedEntries(problem.pruned, problem.length, line.end - line.begin, block_size);
  RowSoftmax rows[kTiles][2];
#pragma unroll
  for (auto& of_tile : rows) StartRows(of_tile, pruned);
  tiles::RowSums<kHeadDim> out[kTiles];
  const float scale_log2 = problem.scale * tiles::kLog2E;

  Walk<kRows> walk(line, pattern.row_columns, unit, block_size, valid.length());
  const auto prefetch = [&](uint32_t stage, int32_t key) {
#pragma unroll
    for (int j = 0; j < kTiles; ++j) {
      WalkedRows::Prefetch(stage + 2 * j * WalkedRows::kStageBytes, k_rows, key + kChunk * j);
      WalkedRows::Prefetch(stage + (2 * j + 1) * WalkedRows::kStageBytes, v_rows, key + kChunk * j);
    }
  };
  const auto compute = [&](uint32_t stage, int32_t key) {
    float s[kTiles][2 * kTiles][4];  // kRows queries x kRows keys
#pragma unroll
    for (int j = 0; j < kTiles; ++j) {
      WalkedRows k;
      k.Take(stage + 2 * j * WalkedRows::kStageBytes, k_rows, key + kChunk * j);
      k.Round();
#pragma unroll
      for (int i = 0; i < kTiles; ++i) tiles::MultiplyTransposed(&s[i][2 * j], q[i], k);
    }
    if (!valid.all_before(key + kRows)) tiles::MaskKeys(s, valid, key);
#pragma unroll
    for (int i = 0; i < kTiles; ++i) OnlineSoftmax(s[i], scale_log2, rows[i], out[i]);
#pragma unroll
    for (int j = 0; j < kTiles; ++j) {
      WalkedRows v;
      v.Take(stage + (2 * j + 1) * WalkedRows::kStageBytes, v_rows, key + kChunk * j);
      v.Round();
      v.Transpose();
#pragma unroll
      for (int i = 0; i < kTiles; ++i) tiles::Multiply(out[i], Math::Pack(&s[i][2 * j]), v);
    }
  };
  const auto ring = static_cast<uint32_t>(__cvta_generic_to_shared(tiles::SharedMemory())) +
                    threadIdx.x / 32 * Traits::kRingBytes;
#pragma unroll
  for (auto& tile : q) tile.Round();
  RunPipeline<Traits::kAhead, Traits::kStageBytes>(walk, ring, prefetch, compute);

#pragma unroll
  for (auto& of_tile : rows) SumRows(of_tile, pruned, unit.part == 0);
  if (unit.parts > 1) {
    __shared__ JoinBuffer<kHeadDim> buffer;
    __shared__ JoinRowsBuffer shared;
#pragma unroll
    for (int i = 0; i < kTiles; ++i) JoinRows(rows[i], out[i], shared, buffer);
    if (unit.part != 0) return;
  }
  float* lse = call.log_sum_exp + FirstRowOf(problem) + query;
#pragma unroll
  for (int i = 0; i < kTiles; ++i) {
    float inverse[2];
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      inverse[r] = InverseSum(rows[i][r]);
      if (tiles::LaneInGroup() == 0) {
        lse[kChunk * i + tiles::LaneGroup() + 8 * r] = LogSumExp(rows[i][r]);
      }
    }
    out[i].Scale(inverse[0], inverse[1]);
    tiles::StoreRows<Math>(out[i], HeadOf(call.out), call.out.row_stride, query + kChunk * i);
  }
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_WARP_FORWARD_CUH_
