// The backward kernel. A unit is 16 kTiles rows of dQ, or 16 kTiles rows of dK and dV; P is
// recomputed from the stored log Z on both ways, so every sum has one owner and no atomics are
// needed.
//
//   D = rowsum(O * dO)
//   queries:  for each 16 keys:     S = Q K^T,   dP = dO V^T,   dS = P (dP - D),  dQ += dS K
//   keys:     for each 16 queries:  S^T = K Q^T, dP^T = V dO^T, dV += P^T dO,     dK += dS^T Q
//
// A line's units are its queries' and then its keys': row i and column i share the diagonal block's
// Q, K, V and dO through the L1 cache.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_WARP_BACKWARD_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_WARP_BACKWARD_CUH_

#include <cmath>

#include "spion/kernels/block_sparse/cuda/common/block.h"
#include "spion/kernels/block_sparse/cuda/common/heads.cuh"
#include "spion/kernels/block_sparse/cuda/warp/join.cuh"
#include "spion/kernels/block_sparse/cuda/warp/pipeline.cuh"
#include "spion/kernels/block_sparse/cuda/warp/traits.h"
#include "spion/kernels/block_sparse/cuda/warp/work.cuh"
#include "spion/kernels/cuda_tiles/exponent.cuh"
#include "spion/kernels/cuda_tiles/rows.cuh"

namespace spion::cuda {

template <class Math>
using BackwardCall = BlockSparseBackward<typename Math::Element>;

template <class Math, int kHeadDim, int kTiles>
struct BackwardTraits : WarpBackwardTraits<typename Math::Element, kHeadDim, kTiles> {
  using OwnRows = tiles::RegisterRows<Math, kHeadDim>;
  using WalkedRows = tiles::WalkedRows<Math, kHeadDim>;
  static_assert((kWalkedBytes<typename Math::Element, kHeadDim>) == WalkedRows::kStageBytes);
};

/// Joins the warps' sums if they share the unit, and stores them: by one warp.
template <class Math, int kHeadDim>
__device__ __forceinline__ void StoreUnit(tiles::RowSums<kHeadDim>& sums, float scale,
                                          const Unit& unit,
                                          const HeadTensor<typename Math::Element>& to,
                                          int32_t first_row, JoinBuffer<kHeadDim>& buffer) {
  if (unit.parts > 1) {
    JoinSums(sums, buffer);
    if (unit.part != 0) return;
  }
  sums.Scale(scale, scale);
  tiles::StoreRows<Math>(sums, HeadOf(to), to.row_stride, first_row);
}

/// dQ of 16 kTiles queries.
template <class Math, int kHeadDim, int kTiles>
__device__ __forceinline__ void QueryGradients(const BackwardCall<Math>& call, const Unit& unit,
                                               const BlockLine& line, uint32_t ring,
                                               JoinBuffer<kHeadDim>& buffer) {
  using Traits = BackwardTraits<Math, kHeadDim, kTiles>;
  using Pointer = tiles::RowPointer<Math, kHeadDim>;
  using WalkedRows = typename Traits::WalkedRows;
  const BlockSparseProblem& problem = call.problem;
  const auto block_size = static_cast<int32_t>(problem.block_size);
  const int32_t query = line.line * block_size + unit.in_line * Traits::kRows;
  const Pointer k_rows(HeadOf(call.k), call.k.row_stride);
  const Pointer v_rows(HeadOf(call.v), call.v.row_stride);
  const tiles::ValidKeys valid = ValidKeysOf(problem);

  typename Traits::OwnRows q[kTiles];
  typename Traits::OwnRows grad_out[kTiles];
  float lse_log2[kTiles][2];
  float delta[kTiles][2];
  {
    const Pointer q_rows(HeadOf(call.q), call.q.row_stride);
    const Pointer grad_rows(HeadOf(call.grad_out), call.grad_out.row_stride);
    const Pointer out_rows(HeadOf(call.out), call.out.row_stride);
    const float* lse = call.log_sum_exp + FirstRowOf(problem) + query;
    WalkedRows out[kTiles];
#pragma unroll
    for (int i = 0; i < kTiles; ++i) {
      q[i].Load(q_rows, query + kChunk * i);
      grad_out[i].Load(grad_rows, query + kChunk * i);
      out[i].Load(out_rows, query + kChunk * i);
      lse_log2[i][0] = lse[kChunk * i + tiles::LaneGroup()] * tiles::kLog2E;
      lse_log2[i][1] = lse[kChunk * i + tiles::LaneGroup() + 8] * tiles::kLog2E;
    }
#pragma unroll
    for (int i = 0; i < kTiles; ++i) {
      const float2 dots = tiles::RowDots(out[i], grad_out[i]);
      delta[i][0] = dots.x;
      delta[i][1] = dots.y;
      q[i].Round();
      grad_out[i].Round();
    }
  }
  const float scale_log2 = problem.scale * tiles::kLog2E;
  tiles::RowSums<kHeadDim> grad_q[kTiles];

  Walk<Traits::kRows> walk(line, problem.pattern.row_columns, unit, block_size, valid.length());
  const auto prefetch = [&](uint32_t stage, int32_t key) {
    WalkedRows::Prefetch(stage, k_rows, key);
    WalkedRows::Prefetch(stage + WalkedRows::kStageBytes, v_rows, key);
  };
  const auto compute = [&](uint32_t stage, int32_t key) {
    WalkedRows k;
    WalkedRows v;
    k.Take(stage, k_rows, key);
    v.Take(stage + WalkedRows::kStageBytes, v_rows, key);
    k.Round();
    v.Round();
    typename Math::Scores ds[kTiles];
#pragma unroll
    for (int i = 0; i < kTiles; ++i) {
      float s[1][2][4];  // 16 queries x 16 keys
      float dp[2][4];
      tiles::MultiplyTransposed(s[0], q[i], k);
      tiles::MultiplyTransposed(dp, grad_out[i], v);
      if (!valid.all_before(key + kChunk)) tiles::MaskKeys(s, valid, key);
#pragma unroll
      for (int t = 0; t < 2; ++t) {
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          const float p = tiles::Exp2(fmaf(s[0][t][e], scale_log2, -lse_log2[i][e / 2]));
          dp[t][e] = p * (dp[t][e] - delta[i][e / 2]);
        }
      }
      ds[i] = Math::Pack(dp);
    }
    k.Transpose();
#pragma unroll
    for (int i = 0; i < kTiles; ++i) tiles::Multiply(grad_q[i], ds[i], k);
  };
  constexpr int kChunkBytes = Traits::kQueryChunkBytes;
  RunPipeline<Traits::kAhead, kTiles * kChunkBytes>(
      walk, ring,
      [&](uint32_t stage, int32_t first) {
#pragma unroll
        for (int j = 0; j < kTiles; ++j) prefetch(stage + j * kChunkBytes, first + kChunk * j);
      },
      [&](uint32_t stage, int32_t first) {
#pragma unroll
        for (int j = 0; j < kTiles; ++j) compute(stage + j * kChunkBytes, first + kChunk * j);
      });

#pragma unroll
  for (int i = 0; i < kTiles; ++i) {
    StoreUnit<Math>(grad_q[i], problem.scale, unit, call.grad_q, query + kChunk * i, buffer);
  }
}

/// Which of dK and dV a pass sums. Both at once, where the registers hold them.
enum class KeyPass { kBoth, kKeys, kValues };

/// dK and dV of 16 kTiles keys.
template <class Math, int kHeadDim, int kTiles, KeyPass kPass>
__device__ __forceinline__ void KeyGradients(const BackwardCall<Math>& call, const Unit& unit,
                                             const BlockLine& line, uint32_t ring,
                                             JoinBuffer<kHeadDim>& buffer) {
  using Traits = BackwardTraits<Math, kHeadDim, kTiles>;
  using Pointer = tiles::RowPointer<Math, kHeadDim>;
  using WalkedRows = typename Traits::WalkedRows;
  constexpr bool kWantKeys = kPass != KeyPass::kValues;
  constexpr bool kWantValues = kPass != KeyPass::kKeys;
  constexpr int kRows = Traits::kRows;
  const BlockSparseProblem& problem = call.problem;
  const auto block_size = static_cast<int32_t>(problem.block_size);
  const int32_t key = line.line * block_size + unit.in_line * kRows;
  const Pointer q_rows(HeadOf(call.q), call.q.row_stride);
  const Pointer grad_rows(HeadOf(call.grad_out), call.grad_out.row_stride);
  const Pointer out_rows(HeadOf(call.out), call.out.row_stride);
  const float* lse = call.log_sum_exp + FirstRowOf(problem);
  const tiles::ValidKeys valid = ValidKeysOf(problem);

  typename Traits::OwnRows k[kTiles];
  typename Traits::OwnRows v[kTiles];
  {
    const Pointer k_rows(HeadOf(call.k), call.k.row_stride);
    const Pointer v_rows(HeadOf(call.v), call.v.row_stride);
#pragma unroll
    for (int i = 0; i < kTiles; ++i) {
      k[i].Load(k_rows, key + kChunk * i);
      if constexpr (kWantKeys) v[i].Load(v_rows, key + kChunk * i);
    }
  }
  const float scale_log2 = problem.scale * tiles::kLog2E;
  tiles::RowSums<kHeadDim> grad_k[kTiles];
  tiles::RowSums<kHeadDim> grad_v[kTiles];

  // Keys that are all padding have no gradient.
  const int32_t limit = key < valid.length() ? static_cast<int32_t>(problem.length) : 0;
  Walk<kRows> walk(line, problem.pattern.column_rows, unit, block_size, limit);
  constexpr int kLseStage = 3 * WalkedRows::kStageBytes;
  const auto prefetch = [&](uint32_t stage, int32_t query) {
    WalkedRows::Prefetch(stage, q_rows, query);
    WalkedRows::Prefetch(stage + WalkedRows::kStageBytes, grad_rows, query);
    if constexpr (kWantKeys) {
      WalkedRows::Prefetch(stage + 2 * WalkedRows::kStageBytes, out_rows, query);
    }
    const uint32_t lse_stage = stage + kLseStage + 8 * (threadIdx.x % 32);
    const float* pairs = lse + static_cast<uint32_t>(query + 2 * tiles::LaneInGroup());
    tiles::CopyAsync<8>(lse_stage, pairs);
    tiles::CopyAsync<8>(lse_stage + 256, pairs + 8);
  };
  const auto compute = [&](uint32_t stage, int32_t query) {
    WalkedRows q;
    WalkedRows grad_out;
    WalkedRows out;
    q.Take(stage, q_rows, query);
    grad_out.Take(stage + WalkedRows::kStageBytes, grad_rows, query);
    if constexpr (kWantKeys) {
      out.Take(stage + 2 * WalkedRows::kStageBytes, out_rows, query);
    }
    float lse_log2[2][2];
#pragma unroll
    for (int t = 0; t < 2; ++t) {
      uint32_t pair[2];
      tiles::LoadShared(pair, stage + kLseStage + 256 * t + 8 * (threadIdx.x % 32));
      lse_log2[t][0] = __uint_as_float(pair[0]) * tiles::kLog2E;
      lse_log2[t][1] = __uint_as_float(pair[1]) * tiles::kLog2E;
    }
    float delta[2][2];
    if constexpr (kWantKeys) tiles::ColumnDots(out, grad_out, delta);
    q.Round();
    grad_out.Round();
    typename Math::Scores p[kTiles];
    typename Math::Scores ds[kTiles];
#pragma unroll
    for (int i = 0; i < kTiles; ++i) {
      float s[2][4];  // 16 keys x 16 queries
      tiles::MultiplyTransposed(s, k[i], q);
#pragma unroll
      for (int t = 0; t < 2; ++t) {
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          s[t][e] = tiles::Exp2(fmaf(s[t][e], scale_log2, -lse_log2[t][e % 2]));
        }
      }
      if constexpr (kWantValues) p[i] = Math::Pack(s);
      if constexpr (kWantKeys) {
        float dp[2][4];
        tiles::MultiplyTransposed(dp, v[i], grad_out);
#pragma unroll
        for (int t = 0; t < 2; ++t) {
#pragma unroll
          for (int e = 0; e < 4; ++e) s[t][e] *= dp[t][e] - delta[t][e % 2];
        }
        ds[i] = Math::Pack(s);
      }
    }
    if constexpr (kWantKeys) {
      q.Transpose();
#pragma unroll
      for (int i = 0; i < kTiles; ++i) tiles::Multiply(grad_k[i], ds[i], q);
    }
    if constexpr (kWantValues) {
      grad_out.Transpose();
#pragma unroll
      for (int i = 0; i < kTiles; ++i) tiles::Multiply(grad_v[i], p[i], grad_out);
    }
  };
#pragma unroll
  for (int i = 0; i < kTiles; ++i) {
    k[i].Round();
    if constexpr (kWantKeys) v[i].Round();
  }
  constexpr int kChunkBytes = Traits::kKeyChunkBytes;
  RunPipeline<Traits::kAhead, kTiles * kChunkBytes>(
      walk, ring,
      [&](uint32_t stage, int32_t first) {
#pragma unroll
        for (int j = 0; j < kTiles; ++j) prefetch(stage + j * kChunkBytes, first + kChunk * j);
      },
      [&](uint32_t stage, int32_t first) {
#pragma unroll 1  // side by side, two chunks do not fit the registers
        for (int j = 0; j < kTiles; ++j) compute(stage + j * kChunkBytes, first + kChunk * j);
      });

  // A padded key's row is made of probabilities that it does not have: 0 instead.
  if (!valid.all_before(key + kRows)) {
#pragma unroll
    for (int i = 0; i < kTiles; ++i) {
#pragma unroll
      for (int r = 0; r < 2; ++r) {
        if (valid.at(key + kChunk * i + tiles::LaneGroup() + 8 * r)) continue;
        grad_k[i].ClearRow(r);
        grad_v[i].ClearRow(r);
      }
    }
  }
#pragma unroll
  for (int i = 0; i < kTiles; ++i) {
    if constexpr (kWantKeys) {
      StoreUnit<Math>(grad_k[i], problem.scale, unit, call.grad_k, key + kChunk * i, buffer);
    }
    if constexpr (kWantValues) {
      StoreUnit<Math>(grad_v[i], 1.0F, unit, call.grad_v, key + kChunk * i, buffer);
    }
  }
}

/// Grid: ThreadBlocksPerHead x heads x examples, of thread blocks of kThreads with kRingBytes of
/// dynamic shared memory a warp. Tensors are [B, H, L, kHeadDim]; a line has 2^log2_units units of
/// 16 kTiles rows, half of them of dQ and half of dK and dV.
template <class Math, int kHeadDim, int kTiles>
__global__ void __launch_bounds__(kThreads,
                                  (BackwardTraits<Math, kHeadDim, kTiles>::kThreadBlocksPerSm))
    BackwardKernel(const __grid_constant__ BackwardCall<Math> call, const int log2_units) {
  __shared__ JoinBuffer<kHeadDim> buffer;
  const BlockPatternView& pattern = call.problem.pattern;
  Unit unit(pattern.blocks_per_side, pattern.schedule.long_lines, log2_units);
  if (!unit.exists) return;
  // The first half of a line's units are queries, the second half keys.
  const int32_t half = 1 << (log2_units - 1);
  const bool is_key = unit.in_line >= half;
  unit.in_line -= is_key ? half : 0;
  const BlockLine line =
      pattern.schedule.lines[2 * (FirstLineOf(pattern) + unit.rank) + (is_key ? 1 : 0)];
  const auto ring = static_cast<uint32_t>(__cvta_generic_to_shared(tiles::SharedMemory())) +
                    threadIdx.x / 32 * BackwardTraits<Math, kHeadDim, kTiles>::kRingBytes;
  if (!is_key) {
    QueryGradients<Math, kHeadDim, kTiles>(call, unit, line, ring, buffer);
    return;
  }
  constexpr int kMaxWordsAtOnce = 32;  // of a row, for both sums to fit the registers
  if constexpr (tiles::RowLayout<Math, kHeadDim>::kWordsPerRow <= kMaxWordsAtOnce) {
    KeyGradients<Math, kHeadDim, kTiles, KeyPass::kBoth>(call, unit, line, ring, buffer);
  } else {
    KeyGradients<Math, kHeadDim, kTiles, KeyPass::kKeys>(call, unit, line, ring, buffer);
    KeyGradients<Math, kHeadDim, kTiles, KeyPass::kValues>(call, unit, line, ring, buffer);
  }
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_WARP_BACKWARD_CUH_
