// Dropouts of the 16 tokens that a warp holds.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_KEPT_ROWS_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_KEPT_ROWS_CUH_

#include <cstdint>

#include "spion/kernels/token_rows/cuda/dropout.cuh"
#include "spion/kernels/token_rows/cuda/sixteen_rows.cuh"

namespace spion::cuda {

/// Which numbers of rows a dropout keeps.
template <int kQuarters>
struct KeptRows {
  static constexpr int kPairs = 8 * kQuarters;  // of a thread
  static_assert(kPairs <= 16);

  /// What Packed gave.
  explicit __device__ __forceinline__ KeptRows(uint32_t packed) {
#pragma unroll
    for (int i = 0; i < kPairs; ++i) eights[i / 4].pairs[i % 4] = packed << i;
  }
  /// Rows have `draws` each, and these begin with `first_draw`: of each 32 numbers four, one for
  /// each thread of a row.
  __device__ __forceinline__ KeptRows(const Dropper& dropper, int64_t first_row, int draws,
                                      int first_draw) {
    int64_t drawn[2 * kQuarters];
    ForEights<kQuarters>([&](int r, int q) {
      const int64_t row = first_row + tiles::LaneGroup() + 8 * r;
      drawn[r * kQuarters + q] = row * draws + first_draw + 4 * q + tiles::LaneInGroup();
    });
    dropper.Keep(drawn, eights);
  }

  /// A bit a number, the first ones of both halves of the word.
  __device__ __forceinline__ uint32_t Packed() const {
    uint32_t packed = 0;
#pragma unroll
    for (int i = 0; i < kPairs; ++i) packed |= (eights[i / 4].pairs[i % 4] & 0x80008000U) >> i;
    return packed;
  }

  __device__ __forceinline__ SixteenRowsBF16<kQuarters> Of(SixteenRowsBF16<kQuarters> rows) const {
    ForEights<kQuarters>([&](int r, int q) {
#pragma unroll
      for (int pair = 0; pair < 4; ++pair) {
        uint32_t& numbers = rows.Pair(r, q, pair);
        numbers = eights[r * kQuarters + q].OfPair(pair, numbers);
      }
    });
    return rows;
  }
  __device__ __forceinline__ SixteenRows<kQuarters> Of(SixteenRows<kQuarters> rows) const {
    ForEights<kQuarters>([&](int r, int q) {
#pragma unroll
      for (int pair = 0; pair < 4; ++pair) {
        float(&v)[8] = rows.eights[r][q].values;
        eights[r * kQuarters + q].Apply(pair, v[2 * pair], v[2 * pair + 1]);
      }
    });
    return rows;
  }

  Kept eights[2 * kQuarters];
};

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_KEPT_ROWS_CUH_
