// How bulk copies find tiles of a [B, H, L, d] tensor.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_TILE_MAP_H_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_TILE_MAP_H_

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <cstdint>

#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/common/head_tensor.h"

namespace spion::cuda::hopper {

/// A map for tiles of `rows` rows of one head, as tiles.cuh has them. Numbers are copied as 16
/// bits, whatever they mean. Strides are multiples of 16 bytes where there is more than one of a
/// thing.
cudaError_t MakeTileMap(const HeadTensor<const void>& tensor, const BlockSparseProblem& problem,
                        int rows, CUtensorMap& map);

template <typename T>
cudaError_t MakeTileMap(const HeadTensor<const T>& tensor, const BlockSparseProblem& problem,
                        int rows, CUtensorMap& map) {
  static_assert(sizeof(T) == 2);
  return MakeTileMap(HeadTensor<const void>{tensor.data, tensor.batch_stride, tensor.head_stride,
                                            tensor.row_stride},
                     problem, rows, map);
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_TILE_MAP_H_
