// How a warp holds 16 tokens between the products of an encoder layer, so that nothing goes through
// shared memory on the way.
//
// Thread (g, c) = (lane / 4, lane % 4) has eight of each 32 numbers of rows g and g + 8, in pieces
// of 16 bytes, so that the threads of a row read and write whole sectors of memory: of fp32 the
// fours from 4 c and from 16 + 4 c on, of bf16 the eight from 8 c on. Each eight has its own draw
// of a dropout. They are what mma leaves and takes once the columns of a matrix have other
// positions: OfPosition. In shared memory weights (weight_rows.cuh) and rows (StoreShared) lie by
// positions.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_SIXTEEN_ROWS_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_SIXTEEN_ROWS_CUH_

#include <cmath>
#include <cstdint>

#include "spion/kernels/cuda_tiles/lanes.cuh"
#include "spion/kernels/cuda_tiles/shared_rows.cuh"
#include "spion/kernels/cuda_tiles/vectors.cuh"

namespace spion::cuda {

/// The number at a position of rows of T (float, BFloat16) in memory: an accumulator's column
/// 8 t + 2 c + j.
template <typename T>
constexpr __host__ __device__ int OfPosition(int position) {
  constexpr int kTiles = 8 / sizeof(T);  // whose pairs of a thread are side by side
  const int tile = position / 8;
  return 8 * kTiles * (tile / kTiles) + 2 * kTiles * (position % 8 / 2) + 2 * (tile % kTiles) +
         position % 2;
}
/// The same of rows that nobody reorders.
template <>
constexpr __host__ __device__ int OfPosition<void>(int position) {
  return position;
}

/// Rows of 32 kQuarters fp32 numbers: of row g, of row g + 8.
template <int kQuarters>
struct SixteenRows {
  tiles::Eight eights[2][kQuarters];

  __device__ __forceinline__ void Clear() {
#pragma unroll
    for (auto& row : eights) {
#pragma unroll
      for (tiles::Eight& eight : row) eight = {};
    }
  }
};

/// The same, rounded to bf16, as mma takes it and a warp stores it: a fragment has a four of each
/// row, the first pairs of rows g and g + 8, then the second ones.
template <int kQuarters>
struct SixteenRowsBF16 {
  tiles::Fragment fours[2 * kQuarters];

  /// Pair `pair` (0 .. 3) of row r's q-th eight.
  __device__ __forceinline__ uint32_t& Pair(int r, int q, int pair) {
    return fours[2 * q + pair / 2].words[2 * (pair % 2) + r];
  }
};

/// The address of what lies at an offset from the start of the thread block's shared memory.
__device__ __forceinline__ uint32_t SharedAddress(uint32_t offset) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(tiles::SharedMemory())) + offset;
}

/// The number of a row of T that is the i-th (0 .. 7) of the thread's q-th eight.
template <typename T>
__device__ __forceinline__ int NumberOfRow(int q, int i) {
  constexpr int kPiece = 16 / sizeof(T);
  return 32 * q + 4 * kPiece * (i / kPiece) + kPiece * tiles::LaneInGroup() + i % kPiece;
}

/// The thread's q-th eight of a row that begins at `row`.
__device__ __forceinline__ tiles::Eight LoadEightOfRow(const float* row, int q) {
  const float4 low = tiles::LoadFour(row + NumberOfRow<float>(q, 0));
  const float4 high = tiles::LoadFour(row + NumberOfRow<float>(q, 4));
  return {{low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w}};
}
__device__ __forceinline__ void StoreEightOfRow(float* row, int q, const tiles::Eight& eight) {
  const float(&v)[8] = eight.values;
  tiles::StoreFour(row + NumberOfRow<float>(q, 0), float4{v[0], v[1], v[2], v[3]});
  tiles::StoreFour(row + NumberOfRow<float>(q, 4), float4{v[4], v[5], v[6], v[7]});
}
__device__ __forceinline__ void StoreEightOfRow(BFloat16* row, int q, const tiles::Eight& eight) {
  tiles::StoreEight(row + NumberOfRow<BFloat16>(q, 0), eight);
}

/// Calls body(row 0 or 1, q).
template <int kQuarters, class Body>
__device__ __forceinline__ void ForEights(Body&& body) {
#pragma unroll
  for (int r = 0; r < 2; ++r) {
#pragma unroll
    for (int q = 0; q < kQuarters; ++q) body(r, q);
  }
}

/// The thread's two rows of those from first_row on, of [end, 32 kQuarters].
template <int kQuarters, typename T>
struct RowPlaces {
  static constexpr int kNumbers = 32 * kQuarters;

  __device__ __forceinline__ RowPlaces(T* of_all, int64_t first_row, int64_t end)
      : first(of_all + (first_row + tiles::LaneGroup()) * kNumbers),
        there{first_row + tiles::LaneGroup() < end, first_row + tiles::LaneGroup() + 8 < end} {}
  __device__ __forceinline__ T* Row(int r) const { return first + 8 * r * kNumbers; }

  T* first;
  bool there[2];
};

/// Rows first_row .. of [end, 32 kQuarters]; zeros beyond `end`.
template <int kQuarters>
__device__ __forceinline__ void Load(const float* from, int64_t first_row, int64_t end,
                                     SixteenRows<kQuarters>& rows) {
  const RowPlaces<kQuarters, const float> places(from, first_row, end);
  rows.Clear();
  ForEights<kQuarters>([&](int r, int q) {
    if (places.there[r]) rows.eights[r][q] = LoadEightOfRow(places.Row(r), q);
  });
}

/// T: float or BFloat16.
template <int kQuarters, typename T>
__device__ __forceinline__ void Store(const SixteenRows<kQuarters>& rows, int64_t first_row,
                                      int64_t end, T* to) {
  const RowPlaces<kQuarters, T> places(to, first_row, end);
  ForEights<kQuarters>([&](int r, int q) {
    if (places.there[r]) StoreEightOfRow(places.Row(r), q, rows.eights[r][q]);
  });
}

template <int kQuarters>
__device__ __forceinline__ SixteenRowsBF16<kQuarters> Rounded(const SixteenRows<kQuarters>& rows) {
  SixteenRowsBF16<kQuarters> rounded;
  ForEights<kQuarters>([&](int r, int q) {
    const float(&v)[8] = rows.eights[r][q].values;
#pragma unroll
    for (int pair = 0; pair < 4; ++pair) {
      rounded.Pair(r, q, pair) = tiles::PackPair<BFloat16>(v[2 * pair], v[2 * pair + 1]);
    }
  });
  return rounded;
}

/// To positions 32 quarter .. of 16 rows of kBytes in shared memory, which begin at offset `at`.
template <int kBytes, int kQuarters>
__device__ __forceinline__ void StoreSharedPart(const SixteenRowsBF16<kQuarters>& rows, int quarter,
                                                uint32_t at) {
  const uint32_t lane = threadIdx.x % 32;
#pragma unroll
  for (int four = 0; four < 2 * kQuarters; ++four) {
    const uint32_t chunk = 4 * quarter + 2 * four + lane / 16;
    tiles::StoreMatrices(SharedAddress(at) + tiles::SharedRows<kBytes>::Offset(lane % 16, chunk),
                         rows.fours[four]);
  }
}
template <int kQuarters>
__device__ __forceinline__ void StoreShared(const SixteenRowsBF16<kQuarters>& rows, uint32_t at) {
  StoreSharedPart<64 * kQuarters>(rows, 0, at);
}

/// What mma has left in the positions of rows of 32 kQuarters numbers.
template <int kQuarters>
struct Accumulators {
  float tiles[4 * kQuarters][4] = {};

  __device__ __forceinline__ SixteenRows<kQuarters> AsRows() const {
    SixteenRows<kQuarters> rows;
    ForEights<kQuarters>([&](int r, int q) {
#pragma unroll
      for (int e = 0; e < 8; ++e) {
        rows.eights[r][q].values[e] = tiles[4 * q + e / 2][2 * r + e % 2];
      }
    });
    return rows;
  }
};

/// Adds the numbers of a row, at `of_row`, to both rows, which are rows of T in memory.
template <typename T = float, int kQuarters>
__device__ __forceinline__ void AddToRows(const float* of_row, SixteenRows<kQuarters>& rows) {
#pragma unroll
  for (int q = 0; q < kQuarters; ++q) {
#pragma unroll
    for (int i = 0; i < 8; i += 4) {
      const float4 four = tiles::LoadFour(of_row + NumberOfRow<T>(q, i));
#pragma unroll
      for (int r = 0; r < 2; ++r) {
        float(&v)[8] = rows.eights[r][q].values;
        v[i] += four.x;
        v[i + 1] += four.y;
        v[i + 2] += four.z;
        v[i + 3] += four.w;
      }
    }
  }
}

/// rows += factor addends
template <int kQuarters>
__device__ __forceinline__ void AddScaled(const SixteenRows<kQuarters>& addends, float factor,
                                          SixteenRows<kQuarters>& rows) {
  ForEights<kQuarters>([&](int r, int q) {
#pragma unroll
    for (int e = 0; e < 8; ++e) {
      float& v = rows.eights[r][q].values[e];
      v = fmaf(addends.eights[r][q].values[e], factor, v);
    }
  });
}

template <int kQuarters>
__device__ __forceinline__ SixteenRows<kQuarters> Scaled(SixteenRows<kQuarters> rows,
                                                         float factor) {
  ForEights<kQuarters>([&](int r, int q) {
    for (float& v : rows.eights[r][q].values) v *= factor;
  });
  return rows;
}

/// Mean and 1 / deviation of the two rows.
struct RowMoments {
  float mean[2];
  float inverse[2];
};

template <int kQuarters>
__device__ __forceinline__ RowMoments MomentsOf(const SixteenRows<kQuarters>& rows, float epsilon) {
  RowMoments moments;
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    float sum = 0;
#pragma unroll
    for (const tiles::Eight& eight : rows.eights[r]) {
#pragma unroll
      for (const float v : eight.values) sum += v;
    }
    const float mean = tiles::RowSum(sum) / (32 * kQuarters);
    float squares = 0;
#pragma unroll
    for (const tiles::Eight& eight : rows.eights[r]) {
#pragma unroll
      for (const float v : eight.values) squares += (v - mean) * (v - mean);
    }
    moments.mean[r] = mean;
    moments.inverse[r] = 1 / sqrtf(tiles::RowSum(squares) / (32 * kQuarters) + epsilon);
  }
  return moments;
}

/// (x - mean) / deviation weight + bias; `weight` and `bias` are of a row, in shared memory.
template <int kQuarters>
__device__ __forceinline__ SixteenRows<kQuarters> Normalised(const SixteenRows<kQuarters>& rows,
                                                             const RowMoments& moments,
                                                             const float* weight,
                                                             const float* bias) {
  SixteenRows<kQuarters> normed;
  ForEights<kQuarters>([&](int r, int q) {
    const tiles::Eight w = LoadEightOfRow(weight, q);
    const tiles::Eight b = LoadEightOfRow(bias, q);
#pragma unroll
    for (int e = 0; e < 8; ++e) {
      const float y = (rows.eights[r][q].values[e] - moments.mean[r]) * moments.inverse[r];
      normed.eights[r][q].values[e] = fmaf(y, w.values[e], b.values[e]);
    }
  });
  return normed;
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_SIXTEEN_ROWS_CUH_
