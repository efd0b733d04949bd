// Small matrix products: C (+)= A B by tiles of accumulators that stay in registers. A's elements
// are broadcast one by one, so A may have any strides (transposed A included); B's rows are loaded
// as vectors.
//
// Included only by files that are compiled for one instruction set (see vector_math.h).
#ifndef SPION_KERNELS_CPU_SIMD_TILE_PRODUCT_H_
#define SPION_KERNELS_CPU_SIMD_TILE_PRODUCT_H_

#include <cstdint>

#include "spion/kernels/cpu_simd/vector_math.h"

namespace spion::cpu_simd {

/// The left operand: element (row, step) is data[row * row_stride + step * step_stride].
struct Broadcasts {
  const float* data;
  int64_t row_stride;
  int64_t step_stride;
};

/// kTileRows rows of C by kVectors vectors.
template <class Simd, int kVectors>
struct Tile {
  typename Simd::Float at[Simd::kTileRows][kVectors];

  [[gnu::always_inline]] inline void Clear() {
#pragma GCC unroll 16
    for (auto& row : at) {
#pragma GCC unroll 4
      for (auto& x : row) x = typename Simd::Float{};
    }
  }

  [[gnu::always_inline]] inline void LoadFrom(const float* from, int64_t stride) {
#pragma GCC unroll 16
    for (int i = 0; i < Simd::kTileRows; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) {
        at[i][j] = Load<Simd>(from + i * stride + j * Simd::kLanes);
      }
    }
  }

  /// The same values to every row.
  [[gnu::always_inline]] inline void AddToRows(const float* from) {
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) {
      const typename Simd::Float x = Load<Simd>(from + j * Simd::kLanes);
#pragma GCC unroll 16
      for (auto& row : at) row[j] += x;
    }
  }

  /// Row i is multiplied by factors[i].
  [[gnu::always_inline]] inline void ScaleRows(const float* factors) {
#pragma GCC unroll 16
    for (int i = 0; i < Simd::kTileRows; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) at[i][j] *= factors[i];
    }
  }

  /// Every element x becomes 2^x.
  [[gnu::always_inline]] inline void Exp2() {
#pragma GCC unroll 16
    for (auto& row : at) {
#pragma GCC unroll 4
      for (auto& x : row) x = cpu_simd::Exp2<Simd>(x);
    }
  }

  /// Element by element.
  [[gnu::always_inline]] inline void MultiplyBy(const float* by, int64_t stride) {
#pragma GCC unroll 16
    for (int i = 0; i < Simd::kTileRows; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) {
        at[i][j] *= Load<Simd>(by + i * stride + j * Simd::kLanes);
      }
    }
  }

  [[gnu::always_inline]] inline void StoreTo(float* to, int64_t stride) const {
#pragma GCC unroll 16
    for (int i = 0; i < Simd::kTileRows; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) Store<Simd>(to + i * stride + j * Simd::kLanes, at[i][j]);
    }
  }

  /// at += A B over `steps` steps; `b` is B's first row at the tile's first column.
  [[gnu::always_inline]] inline void AddProduct(Broadcasts a, const float* b, int64_t b_stride,
                                                int steps) {
#pragma GCC unroll 4
    for (int step = 0; step < steps; ++step) {
      typename Simd::Float row[kVectors];
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j)
        row[j] = Load<Simd>(b + step * b_stride + j * Simd::kLanes);
#pragma GCC unroll 16
      for (int i = 0; i < Simd::kTileRows; ++i) {
        const float x = a.data[i * a.row_stride + step * a.step_stride];
#pragma GCC unroll 4
        for (int j = 0; j < kVectors; ++j) at[i][j] += x * row[j];
      }
    }
  }
};

/// What C holds before a product is added.
enum class Before { kNothing, kSum };

/// C = A B or C += A B for `rows` rows (a multiple of 16) and kColumns columns. `factors`, if
/// given, multiplies each row of the old C first.
template <class Simd, int kColumns>
[[gnu::always_inline]] inline void AddProduct(Broadcasts a, const float* b, int64_t b_stride,
                                              int steps, int rows, Before before,
                                              const float* factors, float* c, int64_t c_stride) {
  constexpr int kVectors =
      kColumns < Simd::kLanes * Simd::kTileVectors ? kColumns / Simd::kLanes : Simd::kTileVectors;
  for (int column = 0; column < kColumns; column += kVectors * Simd::kLanes) {
    for (int row = 0; row < rows; row += Simd::kTileRows) {
      Tile<Simd, kVectors> tile;
      if (before == Before::kNothing) {
        tile.Clear();
      } else {
        tile.LoadFrom(c + row * c_stride + column, c_stride);
        if (factors != nullptr) tile.ScaleRows(factors + row);
      }
      const Broadcasts a_rows = {a.data + row * a.row_stride, a.row_stride, a.step_stride};
      tile.AddProduct(a_rows, b + column, b_stride, steps);
      tile.StoreTo(c + row * c_stride + column, c_stride);
    }
  }
}

/// Calls body(Tile<Simd, 2 or 1>{}, first lane) for tiles that cover `lanes` lanes, a multiple
/// of 16.
template <class Simd, class Body>
[[gnu::always_inline]] inline void ForTileColumns(int lanes, const Body& body) {
  constexpr int kWide = Simd::kLanes * Simd::kTileVectors;
  int lane = 0;
  for (; lane + kWide <= lanes; lane += kWide) body(Tile<Simd, Simd::kTileVectors>{}, lane);
  if (lane < lanes) body(Tile<Simd, 1>{}, lane);
}

}  // namespace spion::cpu_simd

#endif  // SPION_KERNELS_CPU_SIMD_TILE_PRODUCT_H_
