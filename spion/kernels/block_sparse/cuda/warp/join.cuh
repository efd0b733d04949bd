// Adds up what the warps of a thread block have each summed, always in the same order.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_WARP_JOIN_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_WARP_JOIN_CUH_

#include "spion/kernels/block_sparse/cuda/warp/work.cuh"
#include "spion/kernels/cuda_tiles/rows.cuh"

namespace spion::cuda {

/// Shared memory for JoinSums: a lane's values are 32 floats apart, so no two lanes meet in a bank.
template <int kHeadDim>
struct JoinBuffer {
  float values[kWarps / 2][kHeadDim / 2][32];
};

/// Warp 0's sums become the sum over all warps: the upper half adds to the lower half until one is
/// left. To be called by all threads of the block.
template <int kHeadDim>
__device__ __forceinline__ void JoinSums(tiles::RowSums<kHeadDim>& sums,
                                         JoinBuffer<kHeadDim>& buffer) {
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  for (int half = kWarps / 2; half > 0; half /= 2) {
    if (warp >= half && warp < 2 * half) {
#pragma unroll
      for (int t = 0; t < kHeadDim / 8; ++t) {
#pragma unroll
        for (int e = 0; e < 4; ++e) buffer.values[warp - half][4 * t + e][lane] = sums.tile[t][e];
      }
    }
    __syncthreads();  // the upper half's sums are written
    if (warp < half) {
#pragma unroll
      for (int t = 0; t < kHeadDim / 8; ++t) {
#pragma unroll
        for (int e = 0; e < 4; ++e) sums.tile[t][e] += buffer.values[warp][4 * t + e][lane];
      }
    }
    __syncthreads();  // and read, before the next round writes over them
  }
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_WARP_JOIN_CUH_
