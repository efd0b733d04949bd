// What the kernels of 16-bit numbers share (line_forward.cuh, line_backward.cuh).
//
// A group of warps owns a line of the pattern, 16 of its rows a warp, and walks the line's blocks
// together: each block is copied to shared memory once, while the one before it is computed. An
// ordinary line has a thread block of one group. A long line has one of several groups, which take
// its blocks in turn and then add up their sums, always in the same order; these thread blocks are
// a launch of their own, under way at the same time (launch_lines.cuh).
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_LINES_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_LINES_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/work.cuh"
#include "spion/kernels/cuda_tiles/math.cuh"
#include "spion/kernels/cuda_tiles/rows.cuh"
#include "spion/kernels/cuda_tiles/shared_rows.cuh"

namespace spion::cuda {

template <int kBlock>
constexpr int kGroupWarps = kBlock / kChunk;
template <int kBlock>
constexpr int kGroupThreads = 32 * kGroupWarps<kBlock>;

/// Shared memory that a thread block has on every supported GPU.
constexpr int kMostSharedBytes = 96 * 1024;

/// Groups that share a long line: at most 4, as shared memory and the registers (for so many
/// threads an SM) allow.
constexpr int LongGroups(int group_threads, int group_bytes, int threads_an_sm) {
  int groups = 4;
  while (groups > 1 &&
         (groups * group_threads > threads_an_sm || groups * group_bytes > kMostSharedBytes)) {
    --groups;
  }
  return groups;
}

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
/// that one ends after it.
template <int kGroups>
__device__ __forceinline__ void BeginLines() {
  if constexpr (kGroups > 1) tiles::LetNextKernelStart();
}
template <int kGroups>
__device__ __forceinline__ void EndLines() {
  if constexpr (kGroups == 1) {
    const bool is_last =
        blockIdx.x == gridDim.x - 1 && blockIdx.y == gridDim.y - 1 && blockIdx.z == gridDim.z - 1;
    if (is_last) tiles::WaitForKernelBefore();
  }
}

/// A warp's place, and how it moves its 16 rows of a block [kBlock, kHeadDim] between global and
/// shared memory. Tiles are named by their byte offset in the group's shared memory.
template <int kHeadDim, int kBlock>
class LineRows {
 public:
  using Layout = tiles::SharedRows<kHeadDim>;
  static constexpr int kSteps = kHeadDim / 16;
  static constexpr int kTileBytes = kBlock * Layout::kRowBytes;

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
  __device__ __forceinline__ uint32_t own_rows() const { return 16 * warp_; }

  /// 16 of the tile's rows, columns 16 step to 16 step + 15. Left operands:
  __device__ __forceinline__ tiles::Matrices LoadOwn(uint32_t tile, int step) const {
    return tiles::LoadMatrices(columns_[step] + tile + warp_ * Layout::kSixteenRows);
  }
  /// Right operands of a product along the rows:
  __device__ __forceinline__ tiles::Matrices LoadRight(uint32_t tile, uint32_t chunk,
                                                       int step) const {
    return tiles::LoadMatrices(rows_[step] + tile + chunk * Layout::kSixteenRows);
  }
  /// Right operands of a product along the columns:
  __device__ __forceinline__ tiles::Matrices LoadTransposed(uint32_t tile, int chunk,
                                                            int step) const {
    return tiles::LoadMatricesTransposed(columns_[step] + tile + chunk * Layout::kSixteenRows);
  }

  /// Starts copying the warp's rows of the block that begins at row `first`.
  template <typename T>
  __device__ __forceinline__ void Prefetch(uint32_t tile, const HeadTensor<const T>& from,
                                           int32_t first) const {
#pragma unroll
    for (int pass = 0; pass < Layout::kPasses; ++pass) {
      tiles::CopyAsyncPastL1(base_ + tile + warp_ * Layout::kSixteenRows + Layout::PassOffset(pass),
                             HeadOf(from) + Element(from, first, pass));
    }
  }

  /// Writes sums x scale, rounded, to the warp's rows of the tensor, by way of its rows of the
  /// tile, which no other warp reads any more.
  template <typename T>
  __device__ __forceinline__ void Store(const tiles::RowSums<kHeadDim>& sums, float scale,
                                        uint32_t tile, const HeadTensor<T>& tensor,
                                        int32_t first) const {
#pragma unroll
    for (int i = 0; i < kSteps; ++i) {
      const float(&low)[4] = sums.tile[2 * i];
      const float(&high)[4] = sums.tile[2 * i + 1];
      tiles::StoreMatrices(columns_[i] + tile + warp_ * Layout::kSixteenRows,
                           {{tiles::PackPair<T>(low[0] * scale, low[1] * scale),
                             tiles::PackPair<T>(low[2] * scale, low[3] * scale),
                             tiles::PackPair<T>(high[0] * scale, high[1] * scale),
                             tiles::PackPair<T>(high[2] * scale, high[3] * scale)}});
    }
    __syncwarp();
#pragma unroll
    for (int pass = 0; pass < Layout::kPasses; ++pass) {
      *reinterpret_cast<uint4*>(HeadOf(tensor) + Element(tensor, first, pass)) =
          *reinterpret_cast<const uint4*>(shared_ + tile + warp_ * Layout::kSixteenRows +
                                          Layout::PassOffset(pass));
    }
  }

  /// Leaves sums in fp32 in kSumBytes at `buffer`; adds those of the same warp of another group.
  static constexpr int kSumBytes = kBlock * kHeadDim * 4;
  __device__ __forceinline__ void KeepSums(const tiles::RowSums<kHeadDim>& sums,
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
  template <typename T>
  __device__ __forceinline__ uint32_t Element(const HeadTensor<T>& tensor, int32_t first,
                                              int pass) const {
    return (first + own_rows() + Layout::PassRow(pass)) * static_cast<uint32_t>(tensor.row_stride) +
           8 * Layout::PassChunk();
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

/// The warp's 16 rows of a tile, as the left operand of products over the head dimension.
template <int kHeadDim>
struct LeftRows {
  static constexpr int kSteps = kHeadDim / 16;
  tiles::Matrices steps[kSteps];

  template <int kBlock>
  __device__ __forceinline__ LeftRows(const LineRows<kHeadDim, kBlock>& place, uint32_t tile) {
#pragma unroll
    for (int i = 0; i < kSteps; ++i) steps[i] = place.LoadOwn(tile, i);
  }
};

template <typename T>
__device__ __forceinline__ void Mma(float (&sum)[4], const tiles::Matrices& a, uint32_t b0,
                                    uint32_t b1) {
  tiles::Mma16<T>(sum, a.words[0], a.words[1], a.words[2], a.words[3], b0, b1);
}

/// s += a b^T over the head dimension: the warp's 16 rows and a chunk of 16 rows of `tile`.
template <typename T, int kHeadDim, int kBlock>
__device__ __forceinline__ void AddDots(float (*s)[4], const LeftRows<kHeadDim>& a,
                                        const LineRows<kHeadDim, kBlock>& place, uint32_t tile,
                                        uint32_t chunk) {
#pragma unroll
  for (int i = 0; i < LeftRows<kHeadDim>::kSteps; ++i) {
    const tiles::Matrices b = place.LoadRight(tile, chunk, i);
    Mma<T>(s[0], a.steps[i], b.words[0], b.words[1]);
    Mma<T>(s[1], a.steps[i], b.words[2], b.words[3]);
  }
}

/// sums += s b: s is 16 x 16, b a chunk of 16 rows.
template <typename T, int kHeadDim, int kBlock>
__device__ __forceinline__ void AddProduct(tiles::RowSums<kHeadDim>& sums, const tiles::Matrices& s,
                                           const LineRows<kHeadDim, kBlock>& place, uint32_t tile,
                                           int chunk) {
#pragma unroll
  for (int i = 0; i < LeftRows<kHeadDim>::kSteps; ++i) {
    const tiles::Matrices b = place.LoadTransposed(tile, chunk, i);
    Mma<T>(sums.tile[2 * i], s, b.words[0], b.words[1]);
    Mma<T>(sums.tile[2 * i + 1], s, b.words[2], b.words[3]);
  }
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_LINES_CUH_
