// Tokens on their way from memory while those before them are computed.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_ROWS_AHEAD_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_ROWS_AHEAD_CUH_

#include <cstdint>
#include <type_traits>

#include "spion/kernels/token_rows/cuda/layer_blocks.h"
#include "spion/kernels/token_rows/cuda/sixteen_rows.cuh"

namespace spion::cuda {

/// The thread's numbers of rows of [end, 32 kQuarters] on their way to shared memory, where each
/// thread has its own place in what begins at offset `at`: nobody waits for another thread.
template <int kQuarters, typename T>
struct RowsAhead {
  static constexpr int kOfEight = sizeof(T) / 2;  // pieces
  static constexpr int kBytes = 2 * kQuarters * kOfEight * kLayerThreads * 16;

  static __device__ __forceinline__ uint32_t Place(uint32_t at, int r, int q, int piece) {
    return at + (((r * kQuarters + q) * kOfEight + piece) * kLayerThreads + threadIdx.x) * 16;
  }

  /// Begins to copy rows first_row ..; zeros beyond `end`. CommitCopies ends the group.
  static __device__ __forceinline__ void Copy(const T* from, int64_t first_row, int64_t end,
                                              uint32_t at) {
    const RowPlaces<kQuarters, const T> places(from, first_row, end);
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      if (places.there[r]) {
        ForPieces([&](int q, int piece) {
          tiles::CopyAsyncPastL1(SharedAddress(Place(at, r, q, piece)),
                                 places.Row(r) + NumberOfRow<T>(q, 16 / sizeof(T) * piece));
        });
      } else {
        ForPieces([&](int q, int piece) {
          *reinterpret_cast<uint4*>(tiles::SharedMemory() + Place(at, r, q, piece)) = uint4{};
        });
      }
    }
  }

  /// What has come.
  static __device__ __forceinline__ SixteenRows<kQuarters> Take(
      uint32_t at) requires std::is_same_v<T, float> {
    SixteenRows<kQuarters> rows;
    ForEights<kQuarters>([&](int r, int q) {
#pragma unroll
      for (int piece = 0; piece < 2; ++piece) {
        uint32_t words[4];
        tiles::LoadShared(words, SharedAddress(Place(at, r, q, piece)));
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          rows.eights[r][q].values[4 * piece + i] = __uint_as_float(words[i]);
        }
      }
    });
    return rows;
  }
  static __device__ __forceinline__ SixteenRowsBF16<kQuarters> Take(
      uint32_t at) requires std::is_same_v<T, BFloat16> {
    SixteenRowsBF16<kQuarters> rows;
    ForEights<kQuarters>([&](int r, int q) {
      uint32_t pairs[4];
      tiles::LoadShared(pairs, SharedAddress(Place(at, r, q, 0)));
#pragma unroll
      for (int pair = 0; pair < 4; ++pair) rows.Pair(r, q, pair) = pairs[pair];
    });
    return rows;
  }
  /// Into the places, from where Take has them again.
  static __device__ __forceinline__ void Put(const SixteenRows<kQuarters>& rows,
                                             uint32_t at) requires std::is_same_v<T, float> {
    ForEights<kQuarters>([&](int r, int q) {
      const float(&v)[8] = rows.eights[r][q].values;
#pragma unroll
      for (int piece = 0; piece < 2; ++piece) {
        *reinterpret_cast<float4*>(tiles::SharedMemory() + Place(at, r, q, piece)) = {
            v[4 * piece], v[4 * piece + 1], v[4 * piece + 2], v[4 * piece + 3]};
      }
    });
  }

 private:
  template <class Body>
  static __device__ __forceinline__ void ForPieces(Body&& body) {
#pragma unroll
    for (int q = 0; q < kQuarters; ++q) {
#pragma unroll
      for (int piece = 0; piece < kOfEight; ++piece) body(q, piece);
    }
  }
};

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_ROWS_AHEAD_CUH_
