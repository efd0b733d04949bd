// What the tests of normalised rows on the CPU share: the formulas in double, the kernels' types
// and widths, the forward launch.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_NORM_ORACLE_H_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_NORM_ORACLE_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/norm_forward.cuh"
#include "spion/testing/seed.h"

namespace spion::cuda {

inline constexpr float kNormEpsilon = 1e-5F;

template <typename Branch, typename T, int kFoursOf>
struct NormCase {
  using BranchNumber = Branch;
  using Number = T;
  static constexpr int kFours = kFoursOf;
  static constexpr int64_t kWidth = kColumnsAtOnce * kFours;
};

/// Rows normalised by the formula, and their gradients.
struct NormOracle {
  NormOracle(const std::vector<double>& sum, int64_t width, const std::vector<float>& weight)
      : width(width), weight(weight), y(sum.size()), deviation(sum.size() / width) {
    for (size_t r = 0; r < deviation.size(); ++r) {
      const double* row = &sum[r * width];
      double total = 0, squares = 0;
      for (int64_t c = 0; c < width; ++c) total += row[c];
      const double mean = total / width;
      for (int64_t c = 0; c < width; ++c) squares += std::pow(row[c] - mean, 2);
      deviation[r] = std::sqrt(squares / width + kNormEpsilon);
      for (int64_t c = 0; c < width; ++c) y[r * width + c] = (row[c] - mean) / deviation[r];
    }
  }

  std::vector<double> Slope(const std::vector<double>& grad) const {
    std::vector<double> slope(grad.size());
    for (size_t r = 0; r < deviation.size(); ++r) {
      double sum = 0, dot = 0;
      const auto g = [&](int64_t c) { return grad[r * width + c] * weight[c]; };
      for (int64_t c = 0; c < width; ++c) {
        sum += g(c) / width;
        dot += g(c) * y[r * width + c] / width;
      }
      for (int64_t c = 0; c < width; ++c) {
        slope[r * width + c] = (g(c) - sum - y[r * width + c] * dot) / deviation[r];
      }
    }
    return slope;
  }

  int64_t width;
  std::vector<float> weight;
  std::vector<double> y;
  std::vector<double> deviation;
};

template <int kFours>
EmulatedLaunch NormLaunch(int64_t rows) {
  const auto blocks =
      static_cast<unsigned>((rows + kRowsPerBlock<kFours> - 1) / kRowsPerBlock<kFours>);
  return {.grid = {blocks, 1, 1}, .threads = kRowThreads, .seed = TestSeed(5)};
}

using NormCases = testing::Types<NormCase<float, float, 1>, NormCase<BFloat16, BFloat16, 1>,
                                 NormCase<BFloat16, float, 1>, NormCase<float, BFloat16, 2>,
                                 NormCase<BFloat16, float, 4>, NormCase<BFloat16, BFloat16, 8>>;

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_NORM_ORACLE_H_
