// Rows in shared memory, where all warps of a thread block read them as operands of mma: from one
// copy as the rows of a left or right operand, and transposed.
//
// A row is kRowBytes without padding; its 16-byte chunks are swizzled so that ldmatrix,
// which reads a chunk of each of 8 rows at once, meets every bank once.
#ifndef SPION_KERNELS_CUDA_TILES_SHARED_ROWS_CUH_
#define SPION_KERNELS_CUDA_TILES_SHARED_ROWS_CUH_

#include <cstdint>

#include "spion/kernels/cuda_tiles/instructions.cuh"

namespace spion::tiles {

/// Four matrices of 8 rows of 16 bytes, one a register. Of each, a thread has word c of row g. Of
/// 16-bit numbers these are columns 2 c and 2 c + 1; transposed, rows 2 c and 2 c + 1 of column g.
/// Which four: LaneOffset.
struct Fragment {
  uint32_t words[4];
};

/// By the lane's address of a row, SharedRows has which.
__device__ __forceinline__ Fragment LoadMatrices(uint32_t address) {
  Fragment m;
  LoadMatrices(m.words, address);
  return m;
}
__device__ __forceinline__ Fragment LoadMatricesTransposed(uint32_t address) {
  Fragment m;
  LoadMatricesTransposed(m.words, address);
  return m;
}
__device__ __forceinline__ void StoreMatrices(uint32_t address, const Fragment& m) {
  StoreMatrices(address, m.words);
}

/// Where things are in a block of rows, and which part of 16 rows is a thread's. Blocks begin at
/// multiples of 1024 bytes.
template <int kBytes>
struct SharedRows {
  static constexpr int kRowBytes = kBytes;
  static constexpr int kChunks = kRowBytes / 16;  // of a row
  static constexpr int kSixteenRows = 16 * kRowBytes;
  static constexpr int kRowsAt128 = kRowBytes < 128 ? 128 / kRowBytes : 1;
  static constexpr int kSwizzles = kChunks < 8 ? kChunks : 8;

  static __device__ __forceinline__ uint32_t Offset(uint32_t row, uint32_t chunk) {
    return row * kRowBytes + (chunk ^ (row / kRowsAt128 % kSwizzles)) * 16;
  }
  /// The lane's address for 16 rows of 32 bytes, at row and byte 0. Add kSixteenRows for the next
  /// 16 rows; xor 32 i for the i-th 32 bytes. As the left operand of mma: the matrices of the first
  /// 16 bytes come first; of 16-bit numbers, transposed, they are the right operand of two
  /// products. By rows: the matrices of the first 8 rows come first: the right operand of two
  /// products, each with 8 rows; of 16-bit numbers, transposed, a left operand.
  static __device__ __forceinline__ uint32_t LaneOffset() {
    const uint32_t lane = threadIdx.x % 32;
    return Offset(lane % 16, lane / 16);
  }
  static __device__ __forceinline__ uint32_t LaneOffsetByRows() {
    const uint32_t lane = threadIdx.x % 32;
    return Offset(lane % 8 + lane / 16 * 8, lane / 8 % 2);
  }

  /// A warp copies 16 rows in kPasses passes of kRowsPerPass.
  static constexpr int kRowsPerPass = 32 / kChunks;
  static constexpr int kPasses = 16 / kRowsPerPass;
  static __device__ __forceinline__ uint32_t PassRow(int pass) {
    return threadIdx.x % 32 / kChunks + pass * kRowsPerPass;
  }
  static __device__ __forceinline__ uint32_t PassChunk() { return threadIdx.x % kChunks; }
  static __device__ __forceinline__ uint32_t PassOffset(int pass) {
    return Offset(PassRow(pass), PassChunk());
  }
};

}  // namespace spion::tiles

#endif  // SPION_KERNELS_CUDA_TILES_SHARED_ROWS_CUH_
