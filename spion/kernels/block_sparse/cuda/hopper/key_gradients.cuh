// What the kernels for Hopper that make dK and dV share: the steps of a block column between their
// products, and what is stored of it.
//
// Keys lie along the rows. A thread has two keys, 8 rows apart, and of a step's queries those that
// products leave it: values i, i + 1 of its first key and i + 2, i + 3 of its second, i a multiple
// of 4.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_KEY_GRADIENTS_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_KEY_GRADIENTS_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/hopper/backward.cuh"

namespace spion::cuda::hopper {

/// Brings log2 Z of the queries from `first` on, among all there are, to shared memory, and D of
/// the same behind it; `bytes` of each.
__device__ __forceinline__ void CopyStatistics(uint32_t to, const RowStatistics& statistics,
                                               int64_t first, uint32_t bytes, uint32_t barrier) {
  tiles::CopyBulk(to, statistics.lse_log2 + first, bytes, barrier);
  tiles::CopyBulk(to + bytes, statistics.dots + first, bytes, barrier);
}

/// Where the thread's first query lies among statistics at `of_step` in shared memory.
__device__ __forceinline__ uint32_t OwnStatistics(uint32_t of_step) {
  return of_step + 2 * tiles::LaneInGroup() * sizeof(float);
}

/// S^T = K Q^T to P^T, 2^(scale_log2 S^T - log2 Z); `lse`: OwnStatistics of log2 Z.
template <int kValues>
__device__ __forceinline__ void ScoresToWeights(float (&s)[kValues], float scale_log2,
                                                uint32_t lse) {
#pragma unroll
  for (int i = 0; i < kValues; i += 4) {
    uint32_t of[2];
    tiles::LoadShared(of, lse + 2 * i * sizeof(float));
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      s[i + e] = tiles::Exp2(fmaf(s[i + e], scale_log2, -__uint_as_float(of[e % 2])));
    }
  }
}

/// Which of the thread's two keys are not padding.
struct KeptKeys {
  __device__ __forceinline__ KeptKeys(const tiles::ValidKeys& valid, int32_t row,
                                      int32_t end_of_column)
      : column_is_padded(!valid.all_before(end_of_column)) {
    if (!column_is_padded) return;
    keeps[0] = valid.at(row);
    keeps[1] = valid.at(row + 8);
  }

  bool column_is_padded;
  bool keeps[2] = {true, true};
};

/// P^T, or its gradients, of padding are 0.
template <int kValues>
__device__ __forceinline__ void ClearPadding(float (&values)[kValues], const KeptKeys& kept) {
  if (!kept.column_is_padded) return;
#pragma unroll
  for (int i = 0; i < kValues; ++i) {
    if (!kept.keeps[i / 2 % 2]) values[i] = 0;
  }
}

/// dS^T = P^T (dP^T - D), as operand of a product; `dots`: OwnStatistics of D. P^T is `p`, or
/// without kUnrounded, where there are no registers for it, `rounded`, the operand for dV.
template <typename T, bool kUnrounded, int kValues>
__device__ __forceinline__ void PackScoreGradients(uint32_t (&ds)[kValues / 8][4],
                                                   const float (&p)[kValues],
                                                   const uint32_t (&rounded)[kValues / 8][4],
                                                   const float (&dp)[kValues], uint32_t dots) {
#pragma unroll
  for (int i = 0; i < kValues; i += 4) {
    uint32_t of[2];
    tiles::LoadShared(of, dots + 2 * i * sizeof(float));
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const int pair = i % 8 / 2 + r;
      const float2 weights =
          kUnrounded ? float2{p[i + 2 * r], p[i + 2 * r + 1]} : Unpack<T>(rounded[i / 8][pair]);
      ds[i / 8][pair] =
          tiles::PackPair<T>(weights.x * (dp[i + 2 * r] - __uint_as_float(of[0])),
                             weights.y * (dp[i + 2 * r + 1] - __uint_as_float(of[1])));
    }
  }
}

/// Stores dK, given dK / scale, and dV of the thread's keys, `row` and `row` + 8.
template <typename T, int kHeadDim>
__device__ __forceinline__ void StoreKeyGradients(const BlockSparseBackward<T>& call,
                                                  const Unit& unit, int64_t row,
                                                  const float (&grad_k)[kHeadDim / 2],
                                                  const float (&grad_v)[kHeadDim / 2]) {
  const float scale = call.problem.scale;
  StoreSums(grad_k, {scale, scale}, unit.HeadOf(call.grad_k) + row * call.grad_k.row_stride,
            call.grad_k.row_stride);
  StoreSums(grad_v, {1.0F, 1.0F}, unit.HeadOf(call.grad_v) + row * call.grad_v.row_stride,
            call.grad_v.row_stride);
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_KEY_GRADIENTS_CUH_
