// Transposed packing: the one layout change that the kernels make, once per block row.
//
// Included only by files that are compiled for one instruction set (see vector_math.h).
#ifndef SPION_KERNELS_CPU_SIMD_TRANSPOSE_H_
#define SPION_KERNELS_CPU_SIMD_TRANSPOSE_H_

#include <cstdint>

#include "spion/kernels/cpu_simd/vector_math.h"

namespace spion::cpu_simd {

/// Transposes the kLanes x kLanes matrix whose rows are x.
template <class Simd>
[[gnu::always_inline]] inline void Transpose(typename Simd::Float (&x)[Simd::kLanes]) {
  // An element's address is (row bits, column bits). Interleaving row i with row i + kLanes / 2
  // rotates it by one bit; after log2(kLanes) rotations rows and columns have changed places.
  constexpr int kHalf = Simd::kLanes / 2;
#pragma GCC unroll 4
  for (int stage = 1; stage < Simd::kLanes; stage *= 2) {
    typename Simd::Float y[Simd::kLanes];
#pragma GCC unroll 8
    for (int i = 0; i < kHalf; ++i) {
      y[2 * i] = Simd::InterleaveLow(x[i], x[i + kHalf]);
      y[2 * i + 1] = Simd::InterleaveHigh(x[i], x[i + kHalf]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < Simd::kLanes; ++i) x[i] = y[i];
  }
}

/// to[column][row] = factor * from[row][column] for `rows` rows (a multiple of 16) of kColumns;
/// `to` is [kColumns][rows] without gaps.
template <class Simd, int kColumns>
inline void PackTransposed(const float* from, int64_t from_stride, int rows, float factor,
                           float* to) {
  for (int row = 0; row < rows; row += Simd::kLanes) {
    for (int column = 0; column < kColumns; column += Simd::kLanes) {
      typename Simd::Float x[Simd::kLanes];
#pragma GCC unroll 16
      for (int i = 0; i < Simd::kLanes; ++i) {
        x[i] = Load<Simd>(from + (row + i) * from_stride + column) * factor;
      }
      Transpose<Simd>(x);
#pragma GCC unroll 16
      for (int i = 0; i < Simd::kLanes; ++i) Store<Simd>(to + (column + i) * rows + row, x[i]);
    }
  }
}

/// to[row] = factor * (a's row . b's row) for `rows` rows (a multiple of 16) of kColumns.
template <class Simd, int kColumns>
inline void RowDots(const float* a, int64_t a_stride, const float* b, int64_t b_stride, int rows,
                    float factor, float* to) {
  for (int row = 0; row < rows; row += Simd::kLanes) {
    typename Simd::Float x[Simd::kLanes];
#pragma GCC unroll 16
    for (int i = 0; i < Simd::kLanes; ++i) {
      x[i] = typename Simd::Float{};
      for (int column = 0; column < kColumns; column += Simd::kLanes) {
        x[i] += Load<Simd>(a + (row + i) * a_stride + column) *
                Load<Simd>(b + (row + i) * b_stride + column);
      }
    }
    Transpose<Simd>(x);  // now lane i of every x belongs to row i
    typename Simd::Float sum = x[0];
#pragma GCC unroll 16
    for (int i = 1; i < Simd::kLanes; ++i) sum += x[i];
    Store<Simd>(to + row, sum * factor);
  }
}

}  // namespace spion::cpu_simd

#endif  // SPION_KERNELS_CPU_SIMD_TRANSPOSE_H_
