// What a warp multiplies at once.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_COMMON_CHUNK_H_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_COMMON_CHUNK_H_

namespace spion::cuda {

/// Rows, and columns, of a tile of scores.
constexpr int kChunk = 16;

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_COMMON_CHUNK_H_
