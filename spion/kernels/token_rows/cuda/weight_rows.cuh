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

  /// All threads of the block copy; a barrier must follow. `to`: the offset in shared memory, a
  /// multiple of 1024. W is multiplied by `factor` before it is rounded.
  static __device__ __forceinline__ void Load(const float* weight, uint32_t to, int threads,
                                              float factor = 1) {
    constexpr int kChunks = kColumns / 8;
    for (int i = static_cast<int>(threadIdx.x); i < kRows * kChunks; i += threads) {
      const int row = i / kChunks;
      const int tile = i % kChunks;
      const float* from = weight + OfPosition<RowsOf>(row) * kColumns;
      tiles::Eight eight;
#pragma unroll
      for (int c = 0; c < 4; ++c) {
        const float2 pair = *reinterpret_cast<const float2*>(
            from + OfPosition<ColumnsOf>(8 * tile) + OfPosition<ColumnsOf>(2 * c));
        eight.values[2 * c] = factor * pair.x;
        eight.values[2 * c + 1] = factor * pair.y;
      }
      const float(&v)[8] = eight.values;
      *reinterpret_cast<uint4*>(tiles::SharedMemory() + to + Shared::Offset(row, tile)) = {
          tiles::PackPair<BFloat16>(v[0], v[1]), tiles::PackPair<BFloat16>(v[2], v[3]),
          tiles::PackPair<BFloat16>(v[4], v[5]), tiles::PackPair<BFloat16>(v[6], v[7])};
    }
  }

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
