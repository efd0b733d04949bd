// How bulk copies find tiles of a [B, H, L, d] tensor.
#ifndef SPION_KERNELS_CUDA_HOPPER_TILE_MAP_H_
#define SPION_KERNELS_CUDA_HOPPER_TILE_MAP_H_

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <cstdint>

#include "spion/kernels/common/head_tensor.h"

namespace spion::cuda::hopper {

/// Of a [B, H, L, d] tensor.
struct TileMapSizes {
  int64_t batch;
  int64_t heads;
  int64_t length;
  int64_t head_dim;
};

/// A map for tiles of `rows` rows of one head, as tiles.cuh has them. Numbers are copied as 16
/// bits, whatever they mean; rows beyond the last are zeros. Strides are multiples of 16 bytes
/// where there is more than one of a thing.
cudaError_t MakeTileMap(const HeadTensor<const void>& tensor, const TileMapSizes& sizes, int rows,
                        CUtensorMap& map);

template <typename T>
cudaError_t MakeTileMap(const HeadTensor<const T>& tensor, const TileMapSizes& sizes, int rows,
                        CUtensorMap& map) {
  static_assert(sizeof(T) == 2);
  return MakeTileMap(HeadTensor<const void>{tensor.data, tensor.batch_stride, tensor.head_stride,
                                            tensor.row_stride},
                     sizes, rows, map);
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_CUDA_HOPPER_TILE_MAP_H_
