// How a warp holds 16 tokens between the products of an encoder layer, so that nothing goes through
// shared memory on the way.
//
// Thread (g, c) = (lane / 4, lane % 4) has the eights of numbers 4 q + c of rows g and g + 8. A row
// goes to and from memory in these eights, each has its own draw of a dropout, and they are what
// mma leaves and takes once the columns of a matrix have other positions: an accumulator's
// column 8 t + 2 c + j is number 32 (t / 4) + 8 c + 2 (t % 4) + j (Natural). Weights lie
// in shared memory by positions (weight_rows.cuh); nobody else need know.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_SIXTEEN_ROWS_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_SIXTEEN_ROWS_CUH_

#include <cmath>
#include <cstdint>

#include "spion/kernels/cuda_tiles/lanes.cuh"
#include "spion/kernels/cuda_tiles/shared_rows.cuh"
#include "spion/kernels/cuda_tiles/vectors.cuh"
#include "spion/kernels/token_rows/cuda/dropout.cuh"

namespace spion::cuda {

/// The number at a position.
constexpr __host__ __device__ int Natural(int position) {
  const int tile = position / 8;
  return 32 * (tile / 4) + 8 * (position % 8 / 2) + 2 * (tile % 4) + position % 2;
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

/// The same, rounded to bf16: what mma takes.
template <int kQuarters>
struct SixteenRowsBF16 {
  uint4 eights[2][kQuarters];
};

/// The address of what lies at an offset from the start of the thread block's shared memory.
__device__ __forceinline__ uint32_t SharedAddress(uint32_t offset) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(tiles::SharedMemory())) + offset;
}

/// Which eight of a row the thread's q-th is.
__device__ __forceinline__ int EightOfRow(int q) { return 4 * q + tiles::LaneInGroup(); }

/// Calls body(row 0 or 1, q).
template <int kQuarters, class Body>
__device__ __forceinline__ void ForEights(Body&& body) {
#pragma unroll
  for (int r = 0; r < 2; ++r) {
#pragma unroll
    for (int q = 0; q < kQuarters; ++q) body(r, q);
  }
}

/// Rows first_row .. of [end, 32 kQuarters]; zeros beyond `end`.
template <int kQuarters>
__device__ __forceinline__ void Load(const float* from, int64_t first_row, int64_t end,
                                     SixteenRows<kQuarters>& rows) {
  ForEights<kQuarters>([&](int r, int q) {
    const int64_t row = first_row + tiles::LaneGroup() + 8 * r;
    rows.eights[r][q] = {};
    if (row >= end) return;
    rows.eights[r][q] = tiles::LoadEight(from + row * (32 * kQuarters) + 8 * EightOfRow(q));
  });
}
template <int kQuarters>
__device__ __forceinline__ void Load(const BFloat16* from, int64_t first_row, int64_t end,
                                     SixteenRowsBF16<kQuarters>& rows) {
  ForEights<kQuarters>([&](int r, int q) {
    const int64_t row = first_row + tiles::LaneGroup() + 8 * r;
    rows.eights[r][q] = {0, 0, 0, 0};
    if (row >= end) return;
    rows.eights[r][q] =
        *reinterpret_cast<const uint4*>(from + row * (32 * kQuarters) + 8 * EightOfRow(q));
  });
}

/// T: float or BFloat16.
template <int kQuarters, typename T>
__device__ __forceinline__ void Store(const SixteenRows<kQuarters>& rows, int64_t first_row,
                                      int64_t end, T* to) {
  ForEights<kQuarters>([&](int r, int q) {
    const int64_t row = first_row + tiles::LaneGroup() + 8 * r;
    if (row >= end) return;
    tiles::StoreEight(to + row * (32 * kQuarters) + 8 * EightOfRow(q), rows.eights[r][q]);
  });
}

__device__ __forceinline__ uint4 Rounded(const tiles::Eight& eight) {
  const float(&v)[8] = eight.values;
  return {tiles::PackPair<BFloat16>(v[0], v[1]), tiles::PackPair<BFloat16>(v[2], v[3]),
          tiles::PackPair<BFloat16>(v[4], v[5]), tiles::PackPair<BFloat16>(v[6], v[7])};
}

template <int kQuarters>
__device__ __forceinline__ SixteenRowsBF16<kQuarters> Rounded(const SixteenRows<kQuarters>& rows) {
  SixteenRowsBF16<kQuarters> rounded;
  ForEights<kQuarters>([&](int r, int q) { rounded.eights[r][q] = Rounded(rows.eights[r][q]); });
  return rounded;
}

/// To numbers 32 quarter .. of 16 rows of kBytes in shared memory. `rows_at`: where they begin.
template <int kBytes, int kQuarters>
__device__ __forceinline__ void StoreSharedPart(const SixteenRowsBF16<kQuarters>& rows, int quarter,
                                                char* rows_at) {
  ForEights<kQuarters>([&](int r, int q) {
    const uint32_t offset =
        tiles::SharedRows<kBytes>::Offset(tiles::LaneGroup() + 8 * r, EightOfRow(quarter + q));
    *reinterpret_cast<uint4*>(rows_at + offset) = rows.eights[r][q];
  });
}
template <int kQuarters>
__device__ __forceinline__ void StoreShared(const SixteenRowsBF16<kQuarters>& rows, char* rows_at) {
  StoreSharedPart<64 * kQuarters>(rows, 0, rows_at);
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

template <int kQuarters>
__device__ __forceinline__ void Add(const SixteenRows<kQuarters>& addends,
                                    SixteenRows<kQuarters>& rows) {
  ForEights<kQuarters>([&](int r, int q) {
#pragma unroll
    for (int e = 0; e < 8; ++e) rows.eights[r][q].values[e] += addends.eights[r][q].values[e];
  });
}

/// Adds numbers of a row, its eights side by side at `of_row`, to both rows.
template <int kQuarters>
__device__ __forceinline__ void AddToRows(const float* of_row, SixteenRows<kQuarters>& rows) {
#pragma unroll
  for (int q = 0; q < kQuarters; ++q) {
    const tiles::Eight addend = tiles::LoadEight(of_row + 8 * EightOfRow(q));
#pragma unroll
    for (int e = 0; e < 8; ++e) {
      rows.eights[0][q].values[e] += addend.values[e];
      rows.eights[1][q].values[e] += addend.values[e];
    }
  }
}

/// Of eights whose draws are from `first_draw` of a row on, of `draws` a row.
template <int kQuarters>
__device__ __forceinline__ void Drop(const Dropper& dropper, int64_t first_row, int draws,
                                     int first_draw, SixteenRows<kQuarters>& rows) {
  ForEights<kQuarters>([&](int r, int q) {
    const int64_t row = first_row + tiles::LaneGroup() + 8 * r;
    dropper.DropEight(row * draws + first_draw + EightOfRow(q), rows.eights[r][q]);
  });
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
    const tiles::Eight w = tiles::LoadEight(weight + 8 * EightOfRow(q));
    const tiles::Eight b = tiles::LoadEight(bias + 8 * EightOfRow(q));
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
