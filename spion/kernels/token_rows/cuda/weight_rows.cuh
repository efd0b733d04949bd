// A weight matrix in shared memory, rounded to bf16, its rows and columns by position
// (sixteen_rows.cuh): from one copy it is the right operand of x W^T and of x W.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_WEIGHT_ROWS_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_WEIGHT_ROWS_CUH_

#include <cstdint>

#include "spion/kernels/token_rows/cuda/sixteen_rows.cuh"

namespace spion::cuda {

/// RowsOf, ColumnsOf: of which type the rows in memory are that go with its rows and columns; void:
/// these are in their own order.
template <int kRows, int kColumns, typename RowsOf, typename ColumnsOf>
struct WeightRows {
  static_assert(kRows % 32 == 0 && kColumns % 32 == 0);
  using Shared = tiles::SharedRows<2 * kColumns>;
  static constexpr int kBytes = 2 * kRows * kColumns;

  /// A thread's part of the matrix on its way to shared memory, where kPieces x 16 bytes are its
  /// own.
  struct Part {
    static constexpr int kChunks = kColumns / 8;
    static constexpr int kPieces = kRows * kChunks / kLayerThreads;
    static_assert(kPieces * kLayerThreads == kRows * kChunks);
    float2 pairs[kPieces][4];

    static __device__ __forceinline__ int Row(int piece) {
      return (piece * kLayerThreads + static_cast<int>(threadIdx.x)) / kChunks;
    }
    static __device__ __forceinline__ int Tile() { return static_cast<int>(threadIdx.x) % kChunks; }

    /// Reads it: all pieces are under way together.
    explicit __device__ __forceinline__ Part(const float* weight) {
#pragma unroll
      for (int piece = 0; piece < kPieces; ++piece) {
        const float* from =
            weight + OfPosition<RowsOf>(Row(piece)) * kColumns + OfPosition<ColumnsOf>(8 * Tile());
#pragma unroll
        for (int c = 0; c < 4; ++c) {
          pairs[piece][c] =
              __ldg(reinterpret_cast<const float2*>(from + OfPosition<ColumnsOf>(2 * c)));
        }
      }
    }
    /// To offset `to` in shared memory, a multiple of 1024, times `factor`; a barrier must follow.
    __device__ __forceinline__ void Write(uint32_t to, float factor = 1) const {
#pragma unroll
      for (int piece = 0; piece < kPieces; ++piece) {
        const auto packed = [&](int c) {
          return tiles::PackPair<BFloat16>(factor * pairs[piece][c].x, factor * pairs[piece][c].y);
        };
        *reinterpret_cast<uint4*>(tiles::SharedMemory() + to +
                                  Shared::Offset(Row(piece), Tile())) = {packed(0), packed(1),
                                                                         packed(2), packed(3)};
      }
    }
  };

  /// sums += x W^T for rows 32 first_quarter .. of W, by position; x has all its columns, or
  /// those from 32 first_column_quarter on.
  template <int kInner, int kQuarters>
  static __device__ __forceinline__ void MultiplyTransposed(const SixteenRowsBF16<kInner>& x,
                                                            uint32_t at, int first_quarter,
                                                            int first_column_quarter,
                                                            Accumulators<kQuarters>& sums) {
    const uint32_t lane = threadIdx.x % 32;
#pragma unroll
    for (int t = 0; t < 4 * kQuarters; ++t) {
      // Matrices of eight rows: of the four chunks that are 32 numbers.
      const uint32_t row = 8 * (4 * first_quarter + t) + lane % 8;
#pragma unroll
      for (int q = 0; q < kInner; ++q) {
        const tiles::Fragment b = tiles::LoadMatrices(
            SharedAddress(at) + Shared::Offset(row, 4 * (first_column_quarter + q) + lane / 8));
        AddProduct(sums.tiles[t], x.fours[2 * q], x.fours[2 * q + 1], b);
      }
    }
  }

  /// sums += x W for columns 32 first_column_quarter .. of W, by position; x has all its rows, or
  /// those from 32 first_quarter on.
  template <int kInner, int kQuarters>
  static __device__ __forceinline__ void Multiply(const SixteenRowsBF16<kInner>& x, uint32_t at,
                                                  int first_quarter, int first_column_quarter,
                                                  Accumulators<kQuarters>& sums) {
    const uint32_t lane = threadIdx.x % 32;
#pragma unroll
    for (int q = 0; q < kInner; ++q) {
#pragma unroll
      for (int t = 0; t < 4 * kQuarters; ++t) {
        // Matrices of one chunk: of the four times eight rows that are 32 numbers.
        const uint32_t row = 32 * (first_quarter + q) + lane;
        const tiles::Fragment b = tiles::LoadMatricesTransposed(
            SharedAddress(at) + Shared::Offset(row, 4 * first_column_quarter + t));
        AddProduct(sums.tiles[t], x.fours[2 * q], x.fours[2 * q + 1], b);
      }
    }
  }

 private:
  /// sum += 16 rows of 32 numbers times 32 x 8.
  static __device__ __forceinline__ void AddProduct(float (&sum)[4], const tiles::Fragment& first,
                                                    const tiles::Fragment& second,
                                                    const tiles::Fragment& b) {
    const auto add = [&](const tiles::Fragment& a, uint32_t b0, uint32_t b1) {
      tiles::MmaBF16(sum, a.words[0], a.words[1], a.words[2], a.words[3], b0, b1);
    };
    add(first, b.words[0], b.words[1]);
    add(second, b.words[2], b.words[3]);
  }
};

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_WEIGHT_ROWS_CUH_
