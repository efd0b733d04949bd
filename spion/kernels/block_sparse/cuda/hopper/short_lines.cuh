// What the kernels for short lines share (short_forward.cuh, short_backward.cuh): a thread block of
// one warpgroup has a line of 64 rows. Many such thread blocks lie on a multiprocessor, and some
// load while others multiply.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SHORT_LINES_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SHORT_LINES_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/cuda_hopper/tiles.cuh"
#include "spion/kernels/cuda_tiles/instructions.cuh"
#include "spion/kernels/cuda_tiles/math.cuh"
#include "spion/kernels/cuda_tiles/warpgroup_instructions.cuh"

namespace spion::cuda::hopper {

/// One value for the warp, as the compiler is to see.
__device__ __forceinline__ uint32_t WarpOfThread() {
  return __shfl_sync(tiles::kAllLanes, threadIdx.x / 32, 0);
}
/// Whether the thread is the one that starts all copies. It is not always of the first warp: those
/// of all thread blocks share a scheduler.
__device__ __forceinline__ bool CopiesTiles(uint32_t warp) {
  return warp == blockIdx.x % (kGroupThreads / 32) && threadIdx.x % 32 == 0;
}

/// A block on the way along a row and a column.
class ShortStep {
 public:
  ShortStep() = default;  // after the last
  __device__ __forceinline__ ShortStep(int32_t block, bool is_row) : code_(2 * block + is_row) {}

  __device__ __forceinline__ bool is_done() const { return code_ < 0; }
  /// Column of a block of the row, or row of one of the column.
  __device__ __forceinline__ int32_t block() const { return code_ / 2; }
  __device__ __forceinline__ bool is_row() const { return code_ % 2 != 0; }

 private:
  int32_t code_ = -1;
};

/// The kept blocks of a row and a column but the diagonal one: the row's below `limit`, and the
/// column's if the diagonal one is. The lanes of a warp hold 16 of each at a time, so that one load
/// brings what a line has most often.
class ShortSteps {
 public:
  __device__ __forceinline__ ShortSteps(const BlockPatternView& pattern, const BlockLine& row,
                                        const BlockLine& column, int32_t diagonal, int32_t limit)
      : diagonal_(diagonal), limit_(limit) {
    const auto lane = static_cast<int32_t>(threadIdx.x % kLanes);
    at_ = (holds_row() ? row.begin : column.begin) + lane;
    end_ = holds_row() ? row.end : column.end;
    Load(pattern);
  }

  /// Whether the diagonal block is kept and below `limit`. Before the first Next; looks through the
  /// rest of both lists where their first blocks do not have it.
  __device__ __forceinline__ bool HasDiagonal(const BlockPatternView& pattern) const {
    if (diagonal_ >= limit_) return false;
    int32_t at = at_ - kLanes;
    int32_t block = block_;
    while (!__any_sync(tiles::kAllLanes, at < end_ && block == diagonal_)) {
      at += kLanes;
      if (!__any_sync(tiles::kAllLanes, at < end_)) return false;
      if (at < end_) block = Blocks(pattern)[at];
    }
    return true;
  }
  __device__ __forceinline__ ShortStep Next(const BlockPatternView& pattern) {
    while (wanted_ == 0) {
      if (!__any_sync(tiles::kAllLanes, at_ < end_)) return {};
      Load(pattern);
    }
    const int lane = __ffs(static_cast<int>(wanted_)) - 1;
    wanted_ &= wanted_ - 1;
    return {__shfl_sync(tiles::kAllLanes, block_, lane), lane < kLanes};
  }

 private:
  static constexpr int kLanes = 16;

  static __device__ __forceinline__ bool holds_row() { return threadIdx.x % 32 < kLanes; }
  static __device__ __forceinline__ const int32_t* Blocks(const BlockPatternView& pattern) {
    return holds_row() ? pattern.row_columns : pattern.column_rows;
  }
  __device__ __forceinline__ void Load(const BlockPatternView& pattern) {
    const bool has = at_ < end_;
    if (has) block_ = Blocks(pattern)[at_];
    at_ += kLanes;
    const bool counts = has && (holds_row() ? block_ : diagonal_) < limit_;
    wanted_ = __ballot_sync(tiles::kAllLanes, counts && block_ != diagonal_);
  }

  int32_t diagonal_;
  int32_t limit_;  // in blocks
  int32_t at_;     // of the lane's next block
  int32_t end_;
  int32_t block_ = 0;
  uint32_t wanted_ = 0;  // lanes
};

/// Rounds sums x scale and stores them in the warp's 16 rows of a tensor, by way of its rows of a
/// tile, which no other warp reads any more. `head`: of the tensor; `row`: the warp's first.
template <class T, class Tile, int kValues>
__device__ __forceinline__ void StoreByTile(const float (&sums)[kValues], const float (&scale)[2],
                                            char* shared, uint32_t tile, T* head,
                                            int64_t row_stride, uint32_t row) {
  static_assert(Tile::kRowBytes == 64);
  const uint32_t lane = threadIdx.x % 32;
  const uint32_t warp_row = threadIdx.x / 32 * 16;
  const auto base = static_cast<uint32_t>(__cvta_generic_to_shared(shared));
#pragma unroll
  for (int i = 0; i < kValues / 8; ++i) {
    uint32_t words[4];
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      words[j] = tiles::PackPair<T>(sums[8 * i + 2 * j] * scale[j % 2],
                                    sums[8 * i + 2 * j + 1] * scale[j % 2]);
    }
    Tile::StoreLeft(words, base + tile, warp_row, i);
  }
  __syncwarp();
  constexpr uint32_t kChunks = Tile::kRowBytes / 16;
#pragma unroll
  for (uint32_t i = 0; i < 16 * kChunks; i += 32) {
    const uint32_t at = i / kChunks + lane / kChunks;
    const uint32_t chunk = lane % kChunks;
    *reinterpret_cast<uint4*>(head + (row + at) * static_cast<uint32_t>(row_stride) + 8 * chunk) =
        *reinterpret_cast<const uint4*>(shared + tile + (warp_row + at) * Tile::kRowBytes +
                                        16 * (chunk ^ (at / 2 % 4)));
  }
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SHORT_LINES_CUH_
