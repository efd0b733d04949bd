// What the kernels by lines share (forward.cuh, backward.cuh).
//
// A group of warps owns a line of the pattern, 16 of its rows a warp, and walks the line's blocks
// together: each block is copied to shared memory once, while the one before it is computed. An
// ordinary line has a thread block of one group. A long line has one of several groups, which take
// its blocks in turn and then add up their sums, always in the same order; these thread blocks are
// a launch of their own, under way at the same time (../plan.h).
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_LINES_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_LINES_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/common/heads.cuh"
#include "spion/kernels/block_sparse/cuda/line/traits.h"
#include "spion/kernels/cuda_tiles/rows.cuh"
#include "spion/kernels/cuda_tiles/shared_rows.cuh"

namespace spion::cuda {

/// A barrier of the warps of a group.
template <int kBlock, int kGroups>
__device__ __forceinline__ void GroupBarrier() {
  constexpr int kThreads = kGroupThreads<kBlock>;
  if constexpr (kGroupWarps<kBlock> == 1) {
    __syncwarp();
  } else if constexpr (kGroups == 1) {
    __syncthreads();
  } else {
    static_assert(kGroups <= 4);
    switch (threadIdx.x / kThreads) {
      case 0:
        tiles::NamedBarrier<1, kThreads>();
        break;
      case 1:
        tiles::NamedBarrier<2, kThreads>();
        break;
      case 2:
        tiles::NamedBarrier<3, kThreads>();
        break;
      default:
        tiles::NamedBarrier<4, kThreads>();
        break;
    }
  }
}

/// Programmatic dependent launch: the kernel of the long lines lets the other start at once, and
/// that one ends after it. Whatever follows may begin when its last thread blocks have.
__device__ __forceinline__ void BeginLines() { tiles::LetNextKernelStart(); }
template <int kGroups>
__device__ __forceinline__ void EndLines() {
  if constexpr (kGroups == 1) {
    const bool is_last =
        blockIdx.x == gridDim.x - 1 && blockIdx.y == gridDim.y - 1 && blockIdx.z == gridDim.z - 1;
    if (is_last) tiles::WaitForKernelBefore();
  }
}

/// A warp's place, and how it moves its 16 rows of a block [kBlock, kHeadDim] of T between global
/// and shared memory. Tiles are named by their byte offset in the group's shared memory.
template <typename T, int kHeadDim, int kBlock>
class LineRows {
 public:
  using Element = T;
  using Layout = tiles::SharedRows<kHeadDim* static_cast<int>(sizeof(T))>;
  using Scores = tiles::SharedRows<kBlock* static_cast<int>(sizeof(T))>;
  static constexpr int kSteps = Layout::kRowBytes / 32;  // of an inner product over a row
  static constexpr int kTileBytes = kBlock * Layout::kRowBytes;
  static_assert((LineForwardTraits<T, kHeadDim, kBlock>::kTileBytes) == kTileBytes &&
                (LineBackwardTraits<T, kHeadDim, kBlock>::kTileBytes) == kTileBytes &&
                (LineBackwardTraits<T, kHeadDim, kBlock>::kScoresBytes) ==
                    kBlock * Scores::kRowBytes);

  __device__ __forceinline__ explicit LineRows(char* shared)
      : shared_(shared),
        base_(static_cast<uint32_t>(__cvta_generic_to_shared(shared))),
        warp_(threadIdx.x / 32 % kGroupWarps<kBlock>) {
#pragma unroll
    for (int i = 0; i < kSteps; ++i) {
      columns_[i] = base_ + (Layout::LaneOffset() ^ (32 * i));
      rows_[i] = base_ + (Layout::LaneOffsetByRows() ^ (32 * i));
    }
  }

  __device__ __forceinline__ uint32_t warp() const { return warp_; }
  /// The warp's rows g and g + 8 (r = 0, 1) in the block.
  __device__ __forceinline__ uint32_t row(int r) const {
    return 16 * warp_ + tiles::LaneGroup() + 8 * r;
  }
  /// In bytes, where things are, as a pointer and as an address.
  __device__ __forceinline__ char* At(uint32_t offset) const { return shared_ + offset; }
  __device__ __forceinline__ uint32_t Address(uint32_t offset) const { return base_ + offset; }
  /// The warp's rows of a tile.
  __device__ __forceinline__ uint32_t Own(uint32_t tile) const {
    return tile + warp_ * Layout::kSixteenRows;
  }

  /// 16 of the tile's rows, 32 bytes of each. Left operands:
  __device__ __forceinline__ tiles::Fragment LoadOwn(uint32_t tile, int step) const {
    return tiles::LoadMatrices(columns_[step] + Own(tile));
  }
  /// Right operands of a product along the rows:
  __device__ __forceinline__ tiles::Fragment LoadRight(uint32_t tile, uint32_t chunk,
                                                       int step) const {
    return tiles::LoadMatrices(rows_[step] + tile + chunk * Layout::kSixteenRows);
  }
  /// Right operands of a product along the columns, of 16-bit numbers:
  __device__ __forceinline__ tiles::Fragment LoadTransposed(uint32_t tile, int chunk,
                                                            int step) const {
    return tiles::LoadMatricesTransposed(columns_[step] + tile + chunk * Layout::kSixteenRows);
  }

  /// Starts copying the warp's rows of the block that begins at row `first`.
  __device__ __forceinline__ void Prefetch(uint32_t tile, const HeadTensor<const T>& from,
                                           int32_t first) const {
#pragma unroll
    for (int pass = 0; pass < Layout::kPasses; ++pass) {
      tiles::CopyAsyncPastL1(base_ + Own(tile) + Layout::PassOffset(pass),
                             HeadOf(from) + LaneElement(from, first, pass));
    }
  }

  /// Stores 16 x 32 bytes in the warp's rows of a tile.
  __device__ __forceinline__ void StoreFragment(uint32_t tile, int step,
                                                const tiles::Fragment& m) const {
    tiles::StoreMatrices(columns_[step] + Own(tile), m);
  }
  /// Copies the warp's rows of a tile, which its own lanes have written, to the tensor.
  __device__ __forceinline__ void StoreOwn(uint32_t tile, const HeadTensor<T>& tensor,
                                           int32_t first) const {
    __syncwarp();
#pragma unroll
    for (int pass = 0; pass < Layout::kPasses; ++pass) {
      *reinterpret_cast<uint4*>(HeadOf(tensor) + LaneElement(tensor, first, pass)) =
          *reinterpret_cast<const uint4*>(At(Own(tile) + Layout::PassOffset(pass)));
    }
  }

  /// Stores sums in fp32 in kSumBytes at `buffer`; adds those of the same warp of another group.
  static constexpr int kSumBytes = kBlock * kHeadDim * 4;
  __device__ __forceinline__ void StoreSums(const tiles::RowSums<kHeadDim>& sums,
                                            uint32_t buffer) const {
#pragma unroll
    for (int i = 0; i < kHeadDim / 2; ++i) *Sum(buffer, i) = sums.tile[i / 4][i % 4];
  }
  __device__ __forceinline__ void AddSums(tiles::RowSums<kHeadDim>& sums, uint32_t buffer) const {
#pragma unroll
    for (int i = 0; i < kHeadDim / 2; ++i) sums.tile[i / 4][i % 4] += *Sum(buffer, i);
  }

 private:
  /// The lane's 16 bytes of a pass, in elements from the head's start. A head spans less than 2^32
  /// bytes.
  template <typename U>
  __device__ __forceinline__ uint32_t LaneElement(const HeadTensor<U>& tensor, int32_t first,
                                                  int pass) const {
    return (first + 16 * warp_ + Layout::PassRow(pass)) * static_cast<uint32_t>(tensor.row_stride) +
           16 / sizeof(T) * Layout::PassChunk();
  }
  __device__ __forceinline__ float* Sum(uint32_t buffer, int i) const {
    return reinterpret_cast<float*>(shared_ + buffer) + (warp_ * (kHeadDim / 2) + i) * 32 +
           threadIdx.x % 32;
  }

  char* shared_;
  uint32_t base_;
  uint32_t warp_;
  uint32_t columns_[kSteps];  // the lane's addresses
  uint32_t rows_[kSteps];
};

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_LINES_CUH_
