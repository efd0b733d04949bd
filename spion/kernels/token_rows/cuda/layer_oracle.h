// The formulas of encoder_layer.h in double, row by row, for tests. Operands of products are
// rounded to bf16 where the kernels round them, as the calls say; nothing else is.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_LAYER_ORACLE_H_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_LAYER_ORACLE_H_

#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <vector>

#include "spion/kernels/token_rows/cuda/emulated.h"

namespace spion::cuda {

/// [rows, columns]
struct Matrix {
  Matrix(int64_t rows, int64_t columns) : rows(rows), columns(columns), values(rows * columns) {}
  Matrix(int64_t rows, int64_t columns, std::vector<double> values)
      : rows(rows), columns(columns), values(std::move(values)) {}
  double& operator()(int64_t r, int64_t c) { return values[r * columns + c]; }
  double operator()(int64_t r, int64_t c) const { return values[r * columns + c]; }

  int64_t rows;
  int64_t columns;
  std::vector<double> values;
};

inline Matrix Each(Matrix m, const std::function<double(double)>& f) {
  for (double& v : m.values) v = f(v);
  return m;
}
inline Matrix Times(Matrix m, const Matrix& factors) {
  for (size_t i = 0; i < m.values.size(); ++i) m.values[i] *= factors.values[i];
  return m;
}
inline Matrix Plus(Matrix m, const Matrix& other) {
  for (size_t i = 0; i < m.values.size(); ++i) m.values[i] += other.values[i];
  return m;
}
inline Matrix Transposed(const Matrix& m) {
  Matrix t(m.columns, m.rows);
  for (int64_t r = 0; r < m.rows; ++r) {
    for (int64_t c = 0; c < m.columns; ++c) t(c, r) = m(r, c);
  }
  return t;
}
inline Matrix InBF16(const Matrix& m) {
  return Each(m, [](double v) { return Widen(Round<BFloat16>(static_cast<float>(v))); });
}
/// a b^T of operands rounded to bf16.
inline Matrix Product(const Matrix& a, const Matrix& b) {
  const Matrix left = InBF16(a);
  const Matrix right = InBF16(b);
  Matrix product(a.rows, b.rows);
  for (int64_t r = 0; r < a.rows; ++r) {
    for (int64_t c = 0; c < b.rows; ++c) {
      double sum = 0;
      for (int64_t k = 0; k < a.columns; ++k) sum += left(r, k) * right(c, k);
      product(r, c) = sum;
    }
  }
  return product;
}
/// [1, columns]
inline Matrix SumOfRows(const Matrix& m) {
  Matrix sums(1, m.columns);
  for (int64_t r = 0; r < m.rows; ++r) {
    for (int64_t c = 0; c < m.columns; ++c) sums(0, c) += m(r, c);
  }
  return sums;
}
inline Matrix PlusRow(Matrix m, const Matrix& row) {
  for (int64_t r = 0; r < m.rows; ++r) {
    for (int64_t c = 0; c < m.columns; ++c) m(r, c) += row(0, c);
  }
  return m;
}

inline double ExactGelu(double x) { return x * 0.5 * std::erfc(-x / std::numbers::sqrt2); }
inline double ExactSlopeOfGelu(double x) {
  return 0.5 * std::erfc(-x / std::numbers::sqrt2) +
         x * std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
}

/// Rows to mean 0, variance 1.
inline Matrix Standardised(const Matrix& x, double epsilon) {
  Matrix y = x;
  for (int64_t r = 0; r < x.rows; ++r) {
    double mean = 0, variance = 0;
    for (int64_t c = 0; c < x.columns; ++c) mean += x(r, c) / x.columns;
    for (int64_t c = 0; c < x.columns; ++c) variance += std::pow(x(r, c) - mean, 2) / x.columns;
    for (int64_t c = 0; c < x.columns; ++c) {
      y(r, c) = (x(r, c) - mean) / std::sqrt(variance + epsilon);
    }
  }
  return y;
}
/// y weight + bias
inline Matrix Affine(Matrix y, const Matrix& weight, const Matrix& bias) {
  for (int64_t r = 0; r < y.rows; ++r) {
    for (int64_t c = 0; c < y.columns; ++c) y(r, c) = y(r, c) * weight(0, c) + bias(0, c);
  }
  return y;
}

struct NormGradient {
  Matrix x;
  Matrix weight;
  Matrix bias;
};
/// By the Jacobian, term by term: dy_i / dx_j = (delta_ij - 1 / n - y_i y_j / n) / deviation.
inline NormGradient GradientOfNorm(const Matrix& x, double epsilon, const Matrix& weight,
                                   const Matrix& grad) {
  const Matrix y = Standardised(x, epsilon);
  NormGradient gradient{Matrix(x.rows, x.columns), SumOfRows(Times(grad, y)), SumOfRows(grad)};
  const auto n = static_cast<double>(x.columns);
  for (int64_t r = 0; r < x.rows; ++r) {
    double mean = 0, variance = 0;
    for (int64_t c = 0; c < x.columns; ++c) mean += x(r, c) / n;
    for (int64_t c = 0; c < x.columns; ++c) variance += std::pow(x(r, c) - mean, 2) / n;
    for (int64_t j = 0; j < x.columns; ++j) {
      double sum = 0;
      for (int64_t i = 0; i < x.columns; ++i) {
        const double same = i == j ? 1 : 0;
        sum += grad(r, i) * weight(0, i) * (same - 1 / n - y(r, i) * y(r, j) / n);
      }
      gradient.x(r, j) = sum / std::sqrt(variance + epsilon);
    }
  }
  return gradient;
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_LAYER_ORACLE_H_
