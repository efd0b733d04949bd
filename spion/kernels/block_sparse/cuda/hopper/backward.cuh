// What the kernels of the backward pass for Hopper share: grad_queries.cuh, then grad_keys.cuh, or
// one_pass.cuh or atomic_pass.cuh.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_BACKWARD_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_BACKWARD_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/hopper/softmax.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/teams.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/units.cuh"
#include "spion/kernels/cuda_hopper/mask_keys.cuh"
#include "spion/kernels/cuda_hopper/ring.cuh"
#include "spion/kernels/cuda_hopper/tiles.cuh"
#include "spion/kernels/cuda_tiles/exponent.cuh"

namespace spion::cuda::hopper {

/// A team a line; as many as the registers hold.
template <int kHeadDim, int kBlock>
using BackwardTeams = Teams<kBlock == 128 ? 1 : (kHeadDim == 32 ? 3 : 2), kBlock / kGroupRows>;

/// Of every query, [B, H, L] each: what the first kernel leaves to the second.
struct RowStatistics {
  float* lse_log2;  // log2 Z
  float* dots;      // dO . O
};

template <typename T>
struct BackwardArguments {
  BlockSparseBackward<T> call;
  RowStatistics statistics;
  tiles::TileMap q, k, v, out, grad_out;
};

/// Whether a column has gradients at all: it is kept somewhere, and begins with keys.
template <int kBlock>
__device__ __forceinline__ bool HasGradients(const BlockLine& column,
                                             const tiles::ValidKeys& valid) {
  return column.begin < column.end && column.line * kBlock < valid.length();
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_BACKWARD_CUH_
