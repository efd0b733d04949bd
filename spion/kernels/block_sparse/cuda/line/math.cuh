// How the warps of a line multiply: 16-bit numbers, or fp32 numbers rounded to tf32. Both have
// their rows in shared memory (LineRows) and go through the tensor cores.
//
//   S = A B^T    AddDots: ldmatrix brings both operands, whatever the number
//   O += S B     AddProduct: B's rows are the inner dimension. ldmatrix transposes 16-bit numbers;
//                of fp32 a thread reads 16 bytes of two rows, which are one column of four products
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_MATH_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_MATH_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/common/heads.cuh"
#include "spion/kernels/block_sparse/cuda/line/lines.cuh"
#include "spion/kernels/cuda_tiles/exponent.cuh"
#include "spion/kernels/cuda_tiles/math.cuh"
#include "spion/kernels/cuda_tiles/rows.cuh"
#include "spion/kernels/cuda_tiles/shared_rows.cuh"

namespace spion::cuda {

/// fp16 and bf16.
template <typename T>
struct LineMath {
  using Scores = typename tiles::Half16<T>::Scores;

  static __device__ __forceinline__ void Mma(float (&sum)[4], const tiles::Fragment& a, uint32_t b0,
                                             uint32_t b1) {
    tiles::Mma16<T>(sum, a.words[0], a.words[1], a.words[2], a.words[3], b0, b1);
  }
  static __device__ __forceinline__ Scores Pack(const float (*s)[4]) {
    return tiles::Half16<T>::Pack(s);
  }

  /// sums += s b; b: 16 rows of a tile.
  template <class Place, int kHeadDim>
  static __device__ __forceinline__ void AddProduct(tiles::RowSums<kHeadDim>& sums, const Scores& s,
                                                    const Place& place, uint32_t tile, int chunk) {
#pragma unroll
    for (int i = 0; i < Place::kSteps; ++i) {
      const tiles::Fragment b = place.LoadTransposed(tile, chunk, i);
      Mma(sums.tile[2 * i], s, b.words[0], b.words[1]);
      Mma(sums.tile[2 * i + 1], s, b.words[2], b.words[3]);
    }
  }

  /// Makes the lane's own copies in a tile operands.
  template <class Place>
  static __device__ __forceinline__ void Round(const Place&, uint32_t) {}

  /// Writes sums x scale, rounded, to the warp's rows of the tensor, by way of its rows of the
  /// tile, which no other warp reads any more.
  template <class Place, int kHeadDim>
  static __device__ __forceinline__ void Store(const tiles::RowSums<kHeadDim>& sums, float scale,
                                               const Place& place, uint32_t tile,
                                               const HeadTensor<T>& tensor, int32_t first) {
#pragma unroll
    for (int i = 0; i < Place::kSteps; ++i) {
      const float(&low)[4] = sums.tile[2 * i];
      const float(&high)[4] = sums.tile[2 * i + 1];
      place.StoreFragment(tile, i,
                          {{tiles::PackPair<T>(low[0] * scale, low[1] * scale),
                            tiles::PackPair<T>(low[2] * scale, low[3] * scale),
                            tiles::PackPair<T>(high[0] * scale, high[1] * scale),
                            tiles::PackPair<T>(high[2] * scale, high[3] * scale)}});
    }
    place.StoreOwn(tile, tensor, first);
  }

  /// Starts copying log Z of the warp's rows to the statistics.
  template <class Place>
  static __device__ __forceinline__ void PrefetchLse(const Place& place, uint32_t stats,
                                                     const float* lse) {
    if (!HoldsDelta()) return;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const uint32_t row = place.row(r);
      tiles::CopyAsync<4>(place.Address(stats + row * sizeof(LineStatistics)), lse + row);
    }
  }
  /// Completes the statistics of the warp's rows; the lane's copies are there, and not yet rounded.
  template <class Place>
  static __device__ __forceinline__ void MakeStatistics(const Place& place, uint32_t stats,
                                                        uint32_t out, uint32_t grad) {
    __syncwarp();        // other lanes' copies
    float s[2][4] = {};  // O dO^T, for its diagonal
#pragma unroll
    for (int i = 0; i < Place::kSteps; ++i) {
      const tiles::Fragment a = place.LoadOwn(out, i);
      const tiles::Fragment b = place.LoadRight(grad, place.warp(), i);
      Mma(s[0], a, b.words[0], b.words[1]);
      Mma(s[1], a, b.words[2], b.words[3]);
    }
    if (!HoldsDelta()) return;
    const bool odd = tiles::LaneGroup() % 2 == 1;
    auto* of_rows = reinterpret_cast<LineStatistics*>(place.At(stats));
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      LineStatistics& of = of_rows[place.row(r)];
      of = {of.lse_log2 * tiles::kLog2E, odd ? s[r][2 * r + 1] : s[r][2 * r]};
    }
  }

  /// Stores dS^T of the warp's 16 keys and a chunk of 16 queries; words of rows g and g + 8 are
  /// masked.
  template <class Place>
  static __device__ __forceinline__ void StoreScores(const Place& place, uint32_t scores, int chunk,
                                                     const Scores& s, const uint32_t (&mask)[2]) {
    using Layout = typename Place::Scores;
    const uint32_t at =
        place.Address(scores) + place.warp() * Layout::kSixteenRows + Layout::LaneOffset();
    tiles::StoreMatrices(at ^ (32 * chunk), {{s.words[0] & mask[0], s.words[1] & mask[1],
                                              s.words[2] & mask[0], s.words[3] & mask[1]}});
  }
  /// dS of the warp's 16 queries and a chunk of 16 keys.
  template <class Place>
  static __device__ __forceinline__ Scores LoadScores(const Place& place, uint32_t scores,
                                                      int chunk) {
    using Layout = typename Place::Scores;
    const uint32_t at = (place.Address(scores) + Layout::LaneOffsetByRows()) ^ (32 * place.warp());
    return tiles::LoadMatricesTransposed(at + chunk * Layout::kSixteenRows);
  }

 private:
  /// Lanes that hold an element of the diagonal of 16 x 16 scores: rows g and g + 8.
  static __device__ __forceinline__ bool HoldsDelta() {
    return tiles::LaneGroup() / 2 == tiles::LaneInGroup();
  }
};

/// fp32, multiplied in tf32. Rows are of 32 numbers.
///
/// An inner dimension of 8 rows has its slots c and c + 4 in rows 2 c and 2 c + 1, as the scores
/// lie. A right operand's column g of product t is the row's number 4 ChunkOf(g) + t, so that one
/// 16-byte read serves four products. sums.tile[t][e] then is column 4 ChunkOf(2 c + e) + t.
template <>
struct LineMath<float> {
  struct Scores {
    tiles::Fragment halves[2];  // columns 0 to 7, 8 to 15
  };
  static constexpr int kHeadDim = 32;

  static __device__ __forceinline__ void Mma(float (&sum)[4], const tiles::Fragment& a, uint32_t b0,
                                             uint32_t b1) {
    tiles::MmaTf32(sum, a.words[0], a.words[1], a.words[2], a.words[3], b0, b1);
  }
  static __device__ __forceinline__ Scores Pack(const float (*s)[4]) {
    Scores packed;
#pragma unroll
    for (int t = 0; t < 2; ++t) {
      packed.halves[t] = {{tiles::RoundToTf32(s[t][0]), tiles::RoundToTf32(s[t][2]),
                           tiles::RoundToTf32(s[t][1]), tiles::RoundToTf32(s[t][3])}};
    }
    return packed;
  }

  template <class Place>
  static __device__ __forceinline__ void AddProduct(tiles::RowSums<kHeadDim>& sums, const Scores& s,
                                                    const Place& place, uint32_t tile, int chunk) {
    using Layout = typename Place::Layout;
    const uint32_t column = ChunkOf(tiles::LaneGroup());
    const uint32_t row = 2 * tiles::LaneInGroup();
    const uint32_t even = tile + Layout::Offset(row, column);
    const uint32_t odd = tile + Layout::Offset(row + 1, column);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const uint32_t rows = (16 * chunk + 8 * half) * Layout::kRowBytes;
      const uint4 x = *reinterpret_cast<const uint4*>(place.At(even + rows));
      const uint4 y = *reinterpret_cast<const uint4*>(place.At(odd + rows));
      Mma(sums.tile[0], s.halves[half], x.x, y.x);
      Mma(sums.tile[1], s.halves[half], x.y, y.y);
      Mma(sums.tile[2], s.halves[half], x.z, y.z);
      Mma(sums.tile[3], s.halves[half], x.w, y.w);
    }
  }

  template <class Place>
  static __device__ __forceinline__ void Round(const Place& place, uint32_t tile) {
    using Layout = typename Place::Layout;
#pragma unroll
    for (int pass = 0; pass < Layout::kPasses; ++pass) {
      uint4& words =
          *reinterpret_cast<uint4*>(place.At(place.Own(tile) + Layout::PassOffset(pass)));
      uint4 rounded = words;
      rounded.x = tiles::RoundToTf32(__uint_as_float(rounded.x));
      rounded.y = tiles::RoundToTf32(__uint_as_float(rounded.y));
      rounded.z = tiles::RoundToTf32(__uint_as_float(rounded.z));
      rounded.w = tiles::RoundToTf32(__uint_as_float(rounded.w));
      words = rounded;
    }
  }

  template <class Place>
  static __device__ __forceinline__ void Store(const tiles::RowSums<kHeadDim>& sums, float scale,
                                               const Place& place, uint32_t,
                                               const HeadTensor<float>& tensor, int32_t first) {
    float* head = HeadOf(tensor);
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      float* row = head + (first + place.row(r)) * static_cast<uint32_t>(tensor.row_stride);
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        const int i = 2 * r + e;
        *reinterpret_cast<float4*>(row + 4 * ChunkOf(2 * tiles::LaneInGroup() + e)) = {
            sums.tile[0][i] * scale, sums.tile[1][i] * scale, sums.tile[2][i] * scale,
            sums.tile[3][i] * scale};
      }
    }
  }

  template <class Place>
  static __device__ __forceinline__ void PrefetchLse(const Place& place, uint32_t stats,
                                                     const float* lse) {
    using Layout = typename Place::Layout;
    if (Layout::PassChunk() != 0) return;
#pragma unroll
    for (int pass = 0; pass < Layout::kPasses; ++pass) {
      const uint32_t row = 16 * place.warp() + Layout::PassRow(pass);
      tiles::CopyAsync<4>(place.Address(stats + row * sizeof(LineStatistics)), lse + row);
    }
  }
  /// In fp32 throughout: a lane's own copies, then over the lanes of a row.
  template <class Place>
  static __device__ __forceinline__ void MakeStatistics(const Place& place, uint32_t stats,
                                                        uint32_t out, uint32_t grad) {
    using Layout = typename Place::Layout;
    auto* of_rows = reinterpret_cast<LineStatistics*>(place.At(stats));
#pragma unroll
    for (int pass = 0; pass < Layout::kPasses; ++pass) {
      const uint32_t at = Layout::PassOffset(pass);
      const float4 x = *reinterpret_cast<const float4*>(place.At(place.Own(out) + at));
      const float4 y = *reinterpret_cast<const float4*>(place.At(place.Own(grad) + at));
      float delta = fmaf(x.x, y.x, fmaf(x.y, y.y, fmaf(x.z, y.z, x.w * y.w)));
#pragma unroll
      for (int lanes = 1; lanes < Layout::kChunks; lanes *= 2) {
        delta += __shfl_xor_sync(tiles::kAllLanes, delta, lanes);
      }
      if (Layout::PassChunk() != 0) continue;
      LineStatistics& of = of_rows[16 * place.warp() + Layout::PassRow(pass)];
      of = {of.lse_log2 * tiles::kLog2E, delta};
    }
  }

  template <class Place>
  static __device__ __forceinline__ void StoreScores(const Place& place, uint32_t scores, int chunk,
                                                     const Scores& s, const uint32_t (&mask)[2]) {
    using Layout = typename Place::Scores;
    const uint32_t c = tiles::LaneInGroup();
#pragma unroll
    for (int r = 0; r < 2; ++r) {
#pragma unroll
      for (int t = 0; t < 2; ++t) {  // columns 8 t + 2 c and + 1
        const uint32_t at = Layout::Offset(place.row(r), 4 * chunk + 2 * t + c / 2) + 8 * (c % 2);
        const uint32_t(&words)[4] = s.halves[t].words;
        *reinterpret_cast<uint2*>(place.At(scores + at)) = {words[r] & mask[r],
                                                            words[2 + r] & mask[r]};
      }
    }
  }
  template <class Place>
  static __device__ __forceinline__ Scores LoadScores(const Place& place, uint32_t scores,
                                                      int chunk) {
    using Layout = typename Place::Scores;
    const uint32_t g = tiles::LaneGroup();
    Scores loaded;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {  // queries g, g + 8 of keys 2 c, then of 2 c + 1
        const uint32_t key = 16 * chunk + 8 * half + 2 * tiles::LaneInGroup() + i / 2;
        const uint32_t at = Layout::Offset(key, 4 * place.warp() + 2 * (i % 2) + g / 4);
        loaded.halves[half].words[i] =
            *reinterpret_cast<const uint32_t*>(place.At(scores + at + 4 * (g % 4)));
      }
    }
    return loaded;
  }

 private:
  /// Of the row's 16-byte chunks, the g-th column's. Lanes g and g + 1 of an even g, whose reads
  /// happen together, get an even and an odd one; lanes c of one e = g % 2 get neighbours.
  static __device__ __forceinline__ uint32_t ChunkOf(uint32_t g) {
    const uint32_t i = g / 2 % 2;
    return (g & 4) | (g % 2 == 0 ? i : 3 - i);
  }
};

/// The warp's 16 rows of a tile, as the left operand of products over the head dimension.
template <class Place>
struct LeftRows {
  tiles::Fragment steps[Place::kSteps];

  __device__ __forceinline__ LeftRows(const Place& place, uint32_t tile) {
#pragma unroll
    for (int i = 0; i < Place::kSteps; ++i) steps[i] = place.LoadOwn(tile, i);
  }
};

/// s += a b^T; b: 16 rows of a tile.
template <class Place>
__device__ __forceinline__ void AddDots(float (*s)[4], const LeftRows<Place>& a, const Place& place,
                                        uint32_t tile, int chunk) {
  using Math = LineMath<typename Place::Element>;
#pragma unroll
  for (int i = 0; i < Place::kSteps; ++i) {
    const tiles::Fragment b = place.LoadRight(tile, chunk, i);
    Math::Mma(s[0], a.steps[i], b.words[0], b.words[1]);
    Math::Mma(s[1], a.steps[i], b.words[2], b.words[3]);
  }
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_MATH_CUH_
