// The softmax of a warpgroup's scores, 64 queries x kValues * 2 keys, as products leave them.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SOFTMAX_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SOFTMAX_CUH_

#include <cmath>
#include <cstdint>

#include "spion/kernels/block_sparse/cuda/common/softmax.cuh"
#include "spion/kernels/cuda_tiles/lanes.cuh"

namespace spion::cuda::hopper {

/// Turns scores into weights and adds them to the rows' sums; scale_log2 is positive. Whether the
/// warp's references have moved: what was weighted before is then to be scaled by `factor`. The
/// exponentials' arguments are made beside the exponentials, which leave time for them.
template <int kValues>
__device__ __forceinline__ bool Weigh(float (&s)[kValues], float scale_log2, RowSoftmax (&rows)[2],
                                      float (&factor)[2]) {
  constexpr int kChains = 2;  // of a row, for instructions that do not wait for each other
  float maximum[2];
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    float of_chain[kChains];
#pragma unroll
    for (int i = 0; i < kValues / 4; ++i) {
      const float most = fmaxf(s[4 * i + 2 * r], s[4 * i + 2 * r + 1]);
      of_chain[i % kChains] = i < kChains ? most : fmaxf(of_chain[i % kChains], most);
    }
    maximum[r] = fmaf(fmaxf(of_chain[0], of_chain[1]), scale_log2, -rows[r].reference);
  }
  const bool moves =
      __any_sync(tiles::kAllLanes, maximum[0] > rows[0].limit || maximum[1] > rows[1].limit) != 0;
  if (moves) {
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const bool has_sums = rows[r].limit == RowSoftmax::kHeadroom;
      const float before = rows[r].reference;
      rows[r].reference += rows[r].Shift(tiles::RowMax(maximum[r]));
      factor[r] = has_sums ? tiles::Exp2(before - rows[r].reference) : 0;
      rows[r].sum *= factor[r];
    }
  }
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    float sum[kChains] = {};
#pragma unroll
    for (int i = 0; i < kValues / 4; ++i) {
      float& low = s[4 * i + 2 * r];
      float& high = s[4 * i + 2 * r + 1];
      low = tiles::Exp2(fmaf(low, scale_log2, -rows[r].reference));
      high = tiles::Exp2(fmaf(high, scale_log2, -rows[r].reference));
      sum[0] += low;
      sum[1] += high;
    }
    rows[r].sum += sum[0] + sum[1];
  }
  return moves;
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SOFTMAX_CUH_
