// How the calls of encoder_layer.h share out their rows. Private to this package.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_LAYER_BLOCKS_H_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_LAYER_BLOCKS_H_

#include <algorithm>
#include <cstdint>

namespace spion::cuda {

constexpr int kLayerThreads = 256;
constexpr int kLayerWarps = kLayerThreads / 32;
constexpr int kLayerRows = 16 * kLayerWarps;  // of a thread block at a time

/// Thread blocks of a call that sums over rows: as many as the GPU that this was tuned on has
/// multiprocessors, on all GPUs, so that the order of a sum is the same everywhere. A thread block
/// fills a multiprocessor.
constexpr int64_t kLayerSumBlocks = 132;

/// Of another: each copies the weights once.
constexpr int64_t kLayerBlocks = 2 * kLayerSumBlocks;

constexpr int64_t LayerBlocks(int64_t rows, int64_t most) {
  return std::min((rows + kLayerRows - 1) / kLayerRows, most);
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_LAYER_BLOCKS_H_
