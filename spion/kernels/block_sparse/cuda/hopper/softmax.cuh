// The softmax of a warpgroup's scores, 64 queries x kValues * 2 keys, as products leave them.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SOFTMAX_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SOFTMAX_CUH_

#include <cmath>
#include <cstdint>

#include "spion/kernels/block_sparse/cuda/common/softmax.cuh"
#include "spion/kernels/cuda_tiles/lanes.cuh"

namespace spion::cuda::hopper {

/// Turns scores into weights and adds them to the rows' sums. Whether the warp's references have
/// moved: what was weighted before is then to be scaled by `factor`.
template <int kValues>
__device__ __forceinline__ bool Weigh(float (&s)[kValues], float scale_log2, RowSoftmax (&rows)[2],
                                      float (&factor)[2]) {
  constexpr int kChains = 2;  // of a row, for instructions that do not wait for each other
  float maximum[2][kChains];
#pragma unroll
  for (int r = 0; r < 2; ++r) {
#pragma unroll
    for (int i = 0; i < kValues / 4; ++i) {
      float& low = s[4 * i + 2 * r];
      float& high = s[4 * i + 2 * r + 1];
      low = fmaf(low, scale_log2, -rows[r].reference);
      high = fmaf(high, scale_log2, -rows[r].reference);
      float& most = maximum[r][i % kChains];
      most = i < kChains ? fmaxf(low, high) : fmaxf(most, fmaxf(low, high));
    }
    maximum[r][0] = fmaxf(maximum[r][0], maximum[r][1]);
  }
  const bool moves = __any_sync(tiles::kAllLanes, maximum[0][0] > rows[0].limit ||
                                                      maximum[1][0] > rows[1].limit) != 0;
  if (moves) {
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const bool has_sums = rows[r].limit == RowSoftmax::kHeadroom;
      const float shift = rows[r].Shift(tiles::RowMax(maximum[r][0]));
      factor[r] = has_sums ? tiles::Exp2(-shift) : 0;
      rows[r].reference += shift;
      rows[r].sum *= factor[r];
#pragma unroll
      for (int i = 0; i < kValues / 4; ++i) {
        s[4 * i + 2 * r] -= shift;
        s[4 * i + 2 * r + 1] -= shift;
      }
    }
  }
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    float sum[kChains] = {};
#pragma unroll
    for (int i = 0; i < kValues / 4; ++i) {
      float& low = s[4 * i + 2 * r];
      float& high = s[4 * i + 2 * r + 1];
      low = tiles::Exp2(low);
      high = tiles::Exp2(high);
      sum[i % kChains] += low + high;
    }
    rows[r].sum += sum[0] + sum[1];
  }
  return moves;
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SOFTMAX_CUH_
