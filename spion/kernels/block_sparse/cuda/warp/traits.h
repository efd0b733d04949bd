// The sizes of the kernels of warps on their own, work.cuh: threads, shared memory, units. For host
// code, which plans launches by them, and device code.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_WARP_TRAITS_H_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_WARP_TRAITS_H_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/common/block.h"

namespace spion::cuda {

constexpr int kWarps = 4;  // of a thread block
constexpr int kThreads = 32 * kWarps;

/// Thread blocks for one head: one for each unit of the long lines, then one for every kWarps
/// units of the others. The grid is this x heads x batch.
constexpr int64_t ThreadBlocksPerHead(int64_t lines, int64_t long_lines, int64_t units_per_line) {
  return long_lines * units_per_line +
         ((lines - long_lines) * units_per_line + kWarps - 1) / kWarps;
}

/// Tiles of 16 rows that a warp owns, of blocks that have as many: two where a thread's share of 16
/// rows is at most 8 registers. 16-bit numbers of such head dimensions go by lines.
template <typename T, int kHeadDim>
constexpr int kMaxTiles = sizeof(T) == 4 && kHeadDim == 16 ? 2 : 1;

/// Shared memory for 16 walked rows; rows of more than 128 bytes are left in device memory
/// (tiles::WalkedRows).
template <typename T, int kHeadDim>
constexpr int kWalkedBytes = kHeadDim * sizeof(T) <= 128
                                 ? kChunk* kHeadDim* static_cast<int>(sizeof(T))
                                 : 0;

template <typename T, int kHeadDim, int kTiles>
struct WarpForwardTraits {
  static constexpr int kRows = kTiles * kChunk;  // of a unit and a step
  static constexpr int kAhead = 1;               // steps
  static constexpr int kStageBytes = 2 * kTiles * kWalkedBytes<T, kHeadDim>;  // K, V
  static constexpr int kRingBytes = (kAhead + 1) * kStageBytes;               // of a warp
  static constexpr int kThreadBlocksPerSm = kTiles == 2 ? 4 : 1;
};

template <typename T, int kHeadDim, int kTiles>
struct WarpBackwardTraits {
  static constexpr int kRows = kTiles * kChunk;  // of a unit, and of a step of its walk
  static constexpr int kAhead = 1;               // steps
  static constexpr int kQueryChunkBytes = 2 * kWalkedBytes<T, kHeadDim>;  // K, V
  static constexpr int kLseStageBytes = 32 * 4 * sizeof(float);           // four of each thread
  static constexpr int kKeyChunkBytes = 3 * kWalkedBytes<T, kHeadDim> + kLseStageBytes;  // Q, dO, O
  static constexpr int kRingBytes = (kAhead + 1) * kTiles * kKeyChunkBytes;  // of a warp
  static constexpr int kThreadBlocksPerSm = kTiles == 2 ? 3 : 1;
};

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_WARP_TRAITS_H_
