// Tiles of kRows x kHeadDim 16-bit numbers in shared memory, as bulk copies leave them and products
// of a warpgroup take them.
//
// A tile is a panel for each 64 columns, a panel has rows of 128 bytes, and the 16-byte chunks of a
// row are swizzled: chunk i of row r is at chunk i ^ r % 8. At head dimension 32 it is one panel
// with rows of 64 bytes, and chunk i of row r at i ^ r / 2 % 4. Tiles begin at multiples of 1024
// bytes.
#ifndef SPION_KERNELS_CUDA_HOPPER_TILES_CUH_
#define SPION_KERNELS_CUDA_HOPPER_TILES_CUH_

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "spion/kernels/cuda_tiles/instructions.cuh"
#include "spion/kernels/cuda_tiles/math.cuh"
#include "spion/kernels/cuda_tiles/warpgroup_instructions.cuh"

namespace spion::cuda::hopper {

constexpr int kGroupRows = 64;  // of a warpgroup
constexpr int kGroupThreads = 128;
constexpr int kStep = 16;     // numbers along the inner dimension of one product
constexpr int kColumns = 64;  // of scores that are taken up at once

template <int kRows, int kHeadDim>
struct Tile {
  static constexpr uint32_t kRowBytes = kHeadDim < 64 ? 64 : 128;
  static constexpr uint32_t kPanelBytes = kRows * kRowBytes;
  static constexpr uint32_t kBytes = kRows * kHeadDim * 2;
  static constexpr int kSteps = kHeadDim / kStep;  // of an inner product over a row
  static_assert(kHeadDim == 32 || kHeadDim % 64 == 0);

  /// Names rows of the tile as an operand: step i of a product along the rows, or 16 rows of one
  /// along the columns, `step` of them further.
  static __device__ __forceinline__ uint64_t AlongRows(uint32_t tile, uint32_t row, int step) {
    return Descriptor(tile + row * kRowBytes,
                      step / kPanelSteps * kPanelBytes + step % kPanelSteps * 2 * kStep);
  }
  static __device__ __forceinline__ uint64_t AlongColumns(uint32_t tile, uint32_t row, int step) {
    return Descriptor(tile + row * kRowBytes, step * kStep * kRowBytes);
  }

  /// The warp's 16 rows from `row` on, a multiple of 16, as left operands of all steps.
  static __device__ __forceinline__ void LoadLeft(uint32_t (&words)[kSteps][4], uint32_t tile,
                                                  uint32_t row) {
    const uint32_t lane = threadIdx.x % 32;
    const uint32_t at = tile + (row + lane % 16) * kRowBytes;
#pragma unroll
    for (int i = 0; i < kSteps; ++i) {
      tiles::LoadMatrices(words[i], at + i / kPanelSteps * kPanelBytes + Chunk(i, lane) * 16);
    }
  }
  /// The inverse, of one step and of all.
  static __device__ __forceinline__ void StoreLeft(const uint32_t (&words)[4], uint32_t tile,
                                                   uint32_t row, int step) {
    const uint32_t lane = threadIdx.x % 32;
    tiles::StoreMatrices(tile + (row + lane % 16) * kRowBytes + step / kPanelSteps * kPanelBytes +
                             Chunk(step, lane) * 16,
                         words);
  }
  static __device__ __forceinline__ void StoreLeft(const uint32_t (&words)[kSteps][4],
                                                   uint32_t tile, uint32_t row) {
#pragma unroll
    for (int i = 0; i < kSteps; ++i) StoreLeft(words[i], tile, row, i);
  }

 private:
  static constexpr int kPanelSteps = kRowBytes / (2 * kStep);

  /// Where the lane finds its chunk of step i in a row.
  static __device__ __forceinline__ uint32_t Chunk(int i, uint32_t lane) {
    const uint32_t chunk = i % kPanelSteps * 2 + lane / 16;
    return chunk ^ (kRowBytes == 128 ? lane % 8 : lane / 2 % 4);
  }

  /// Swizzle of a row's bytes; 8 rows are so far apart; along the columns, the next 64 are a panel
  /// away.
  /// The offset is added to what is the same for all steps of a product: one instruction a step,
  /// and products wait for their names.
  static __device__ __forceinline__ uint64_t Descriptor(uint32_t address, uint32_t offset) {
    constexpr uint64_t kSwizzle = uint64_t{kRowBytes == 128 ? 1 : 2} << 62;
    constexpr uint64_t kEightRows = uint64_t{8 * kRowBytes / 16} << 32;
    constexpr uint32_t kNextPanel = kPanelBytes / 16 << 16;
    return kSwizzle | kEightRows | ((kNextPanel | address / 16) + offset / 16);
  }
};

/// Changes nothing; `zero` is 0, but the compiler cannot know. ptxas 13.0 has been seen to give
/// left operands that a loop only reads the registers of others that it makes: these are made, too.
template <int kSteps>
__device__ __forceinline__ void Remake(uint32_t (&words)[kSteps][4], uint32_t zero) {
#pragma unroll
  for (int i = 0; i < kSteps; ++i) tiles::Or(words[i][0], zero);
}

/// sum = left right^T of 64 rows held as left operands and 2 kValues rows of a tile.
template <class T, class Right, int kValues>
__device__ __forceinline__ void ProductWithRows(float (&sum)[kValues],
                                                const uint32_t (&left)[Right::kSteps][4],
                                                uint32_t right, uint32_t right_row) {
  tiles::Product<T, false, tiles::Adds::kNo>(sum, left[0], Right::AlongRows(right, right_row, 0));
#pragma unroll
  for (int i = 1; i < Right::kSteps; ++i) {
    tiles::Product<T, false, tiles::Adds::kYes>(sum, left[i],
                                                Right::AlongRows(right, right_row, i));
  }
}
/// The same with the left rows in a tile.
template <class T, class Left, class Right, int kValues>
__device__ __forceinline__ void ProductWithRows(float (&sum)[kValues], uint32_t left,
                                                uint32_t left_row, uint32_t right,
                                                uint32_t right_row) {
  tiles::Product<T, false, tiles::Adds::kNo>(sum, Left::AlongRows(left, left_row, 0),
                                             Right::AlongRows(right, right_row, 0));
#pragma unroll
  for (int i = 1; i < Right::kSteps; ++i) {
    tiles::Product<T, false, tiles::Adds::kYes>(sum, Left::AlongRows(left, left_row, i),
                                                Right::AlongRows(right, right_row, i));
  }
}
/// sum += weights right, of 64 x 16 kSteps weights and 16 kSteps rows of a tile.
template <class T, class Right, int kSteps, int kValues>
__device__ __forceinline__ void ProductOfWeights(float (&sum)[kValues],
                                                 const uint32_t (&weights)[kSteps][4],
                                                 uint32_t right, uint32_t right_row) {
#pragma unroll
  for (int i = 0; i < kSteps; ++i) {
    tiles::Product<T, true, tiles::Adds::kYes>(sum, weights[i],
                                               Right::AlongColumns(right, right_row, i));
  }
}

/// sum = left^T right, of 64 columns of a tile and 2 kValues columns of another, both of kRows
/// rows.
template <class T, class Left, class Right, int kRows, int kValues>
__device__ __forceinline__ void ProductOfColumns(float (&sum)[kValues], uint32_t left,
                                                 uint32_t right) {
  tiles::Product<T, true, tiles::Adds::kNo, true>(sum, Left::AlongColumns(left, 0, 0),
                                                  Right::AlongColumns(right, 0, 0));
#pragma unroll
  for (int i = 1; i < kRows / kStep; ++i) {
    tiles::Product<T, true, tiles::Adds::kYes, true>(sum, Left::AlongColumns(left, 0, i),
                                                     Right::AlongColumns(right, 0, i));
  }
}

/// 64 x 16 kSteps sums as left operands.
template <class T, int kSteps>
__device__ __forceinline__ void PackWeights(uint32_t (&weights)[kSteps][4],
                                            const float (&sums)[8 * kSteps]) {
#pragma unroll
  for (int i = 0; i < kSteps; ++i) {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      weights[i][j] = tiles::PackPair<T>(sums[8 * i + 2 * j], sums[8 * i + 2 * j + 1]);
    }
  }
}

/// Two numbers of a word, the first in its low half.
template <class T>
__device__ __forceinline__ float2 Unpack(uint32_t pair) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    return {__uint_as_float(pair << 16), __uint_as_float(pair & 0xffff0000U)};
  } else {
    __half2 halves;
    memcpy(static_cast<void*>(&halves), &pair, sizeof(pair));
    return __half22float2(halves);
  }
}

/// Of four words that each of a row's four lanes holds, lane c gets the four lanes' c-th.
__device__ __forceinline__ void TransposeInRow(uint32_t (&words)[4]) {
#pragma unroll
  for (int bit = 1; bit <= 2; bit *= 2) {
    const bool upper = (threadIdx.x & bit) != 0;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if ((i & bit) != 0) continue;
      uint32_t& low = words[i];
      uint32_t& high = words[i + bit];
      const uint32_t other = __shfl_xor_sync(tiles::kAllLanes, upper ? low : high, bit);
      (upper ? low : high) = other;
    }
  }
}

/// Rounds 64 rows of sums and stores them; `to` is the thread's first row, g + 16 w of the group.
template <class T, int kValues>
__device__ __forceinline__ void StoreSums(const float (&sums)[kValues], const float (&scale)[2],
                                          T* to, int64_t row_stride) {
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    T* row = to + 8 * r * row_stride;
#pragma unroll
    for (int t = 0; t < kValues / 4; t += 4) {  // of tiles of 8 columns
      uint32_t words[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        words[i] = tiles::PackPair<T>(sums[4 * (t + i) + 2 * r] * scale[r],
                                      sums[4 * (t + i) + 2 * r + 1] * scale[r]);
      }
      TransposeInRow(words);
      tiles::StoreGlobal(row + 8 * (t + tiles::LaneInGroup()),
                         uint4{words[0], words[1], words[2], words[3]});
    }
  }
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_CUDA_HOPPER_TILES_CUH_
