// The device code, run on the CPU and held against sums in double. Launches are as launch.cu makes
// them, with as many thread blocks as the rows of a test are worth.
#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "gtest/gtest.h"
#include "spion/base/random.h"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/column_sums.cuh"
#include "spion/kernels/token_rows/cuda/layer_norm.cuh"
#include "spion/testing/seed.h"

namespace spion::cuda {
namespace {

constexpr float kEpsilon = 1e-5F;

template <typename T>
T Round(float value) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    return {std::bit_cast<uint16_t>(__float2bfloat16_rn(value))};
  } else {
    return value;
  }
}
double Widen(BFloat16 value) { return std::bit_cast<float>(uint32_t{value.bits} << 16); }
double Widen(float value) { return value; }

// What rounding the result to T, or adding in fp32, may cost relative to the largest result.
template <typename T>
constexpr double kTolerance = std::is_same_v<T, BFloat16> ? 0x1p-8 : 1e-5;

/// 16-byte aligned numbers around `mean`.
template <typename T>
std::vector<T> Numbers(int64_t count, double mean, uint64_t seed) {
  Random random(TestSeed(seed));
  std::vector<T> numbers(count);
  for (T& number : numbers) number = Round<T>(static_cast<float>(mean + random.Normal()));
  return numbers;
}

template <typename T, int kFoursOf>
struct Case {
  using Number = T;
  static constexpr int kFours = kFoursOf;
  static constexpr int64_t kWidth = kColumnsAtOnce * kFours;
};

template <class Param>
class EmulatedNormTest : public testing::Test {};
using Cases = testing::Types<Case<float, 1>, Case<BFloat16, 1>, Case<BFloat16, 2>, Case<float, 4>>;
TYPED_TEST_SUITE(EmulatedNormTest, Cases);

TYPED_TEST(EmulatedNormTest, NormalisesAndDifferentiates) {
  using T = typename TypeParam::Number;
  constexpr int kFours = TypeParam::kFours;
  constexpr int64_t kWidth = TypeParam::kWidth;
  for (const int64_t rows : {1, 31, 150}) {
    const auto x = Numbers<float>(rows * kWidth, /*mean=*/3, 1);
    const auto weight = Numbers<float>(kWidth, 1, 2);
    const auto bias = Numbers<float>(kWidth, 0, 3);
    const auto grad_out = Numbers<T>(rows * kWidth, 0, 4);
    std::vector<T> out(rows * kWidth);
    std::vector<float> mean(rows), inverse(rows), grad_x(rows * kWidth), grads(2 * kWidth);
    const LayerNormForward<T> forward = {rows,       kWidth,        kEpsilon,
                                         x.data(),   weight.data(), bias.data(),
                                         out.data(), mean.data(),   inverse.data()};
    const auto blocks =
        static_cast<unsigned>((rows + kRowsABlock<kFours> - 1) / kRowsABlock<kFours>);
    RunKernel({.grid = {blocks, 1, 1}, .threads = kRowThreads, .seed = TestSeed(5)},
              [&] { LayerNormForwardKernel<T, kFours>(forward); });
    constexpr unsigned kSumBlocks = 3;
    std::vector<float> scratch(kSumBlocks * 2 * kWidth);
    const LayerNormBackward<T> backward = {
        rows,        kWidth,         grad_out.data(), x.data(),     weight.data(),
        mean.data(), inverse.data(), grad_x.data(),   grads.data(), scratch.data()};
    RunKernel({.grid = {kSumBlocks, 1, 1}, .threads = kRowThreads, .seed = TestSeed(6)},
              [&] { LayerNormBackwardKernel<T, kFours>(backward); });
    RunKernel({.grid = {2 * kWidth / kPartColumns, 1, 1},
               .threads = kPartColumns * kPartSlices,
               .seed = TestSeed(7)},
              [&] { SumPartsKernel(scratch.data(), kSumBlocks, 2 * kWidth, grads.data()); });

    std::vector<double> grad_weight(kWidth), grad_bias(kWidth);
    for (int64_t r = 0; r < rows; ++r) {
      double sum = 0, squares = 0, grad_sum = 0, grad_dot = 0;
      for (int64_t c = 0; c < kWidth; ++c) sum += x[r * kWidth + c];
      const double average = sum / kWidth;
      for (int64_t c = 0; c < kWidth; ++c) squares += std::pow(x[r * kWidth + c] - average, 2);
      const double deviation = std::sqrt(squares / kWidth + kEpsilon);
      const auto y = [&](int64_t c) { return (x[r * kWidth + c] - average) / deviation; };
      const auto g = [&](int64_t c) { return Widen(grad_out[r * kWidth + c]) * weight[c]; };
      for (int64_t c = 0; c < kWidth; ++c) {
        grad_sum += g(c) / kWidth;
        grad_dot += g(c) * y(c) / kWidth;
        grad_weight[c] += Widen(grad_out[r * kWidth + c]) * y(c);
        grad_bias[c] += Widen(grad_out[r * kWidth + c]);
      }
      for (int64_t c = 0; c < kWidth; ++c) {
        const double expected = y(c) * weight[c] + bias[c];
        ASSERT_NEAR(Widen(out[r * kWidth + c]), expected, kTolerance<T> * (1 + std::abs(expected)))
            << "row " << r << " of " << rows << ", column " << c;
        const double slope = (g(c) - grad_sum - y(c) * grad_dot) / deviation;
        ASSERT_NEAR(grad_x[r * kWidth + c], slope, 1e-5 * (1 + std::abs(slope)))
            << "row " << r << " of " << rows << ", column " << c;
      }
    }
    for (int64_t c = 0; c < kWidth; ++c) {
      EXPECT_NEAR(grads[c], grad_weight[c], 1e-5 * rows) << "column " << c;
      EXPECT_NEAR(grads[kWidth + c], grad_bias[c], 1e-5 * rows) << "column " << c;
    }
  }
}

template <typename T>
class EmulatedSumsTest : public testing::Test {};
using Numbers32And16 = testing::Types<float, BFloat16>;
TYPED_TEST_SUITE(EmulatedSumsTest, Numbers32And16);

TYPED_TEST(EmulatedSumsTest, AddsUpColumns) {
  using T = TypeParam;
  constexpr int64_t kWidth = 192;
  for (const int64_t rows : {1, 17, 700}) {
    const auto x = Numbers<T>(rows * kWidth, 0.5, 8);
    constexpr unsigned kSumBlocks = 2;
    std::vector<float> scratch(kSumBlocks * kWidth), sums(kWidth);
    const ColumnSums<T> call = {rows, kWidth, x.data(), sums.data(), scratch.data()};
    RunKernel({.grid = {kSumBlocks, kWidth / kColumnsAtOnce, 1},
               .threads = kRowThreads,
               .seed = TestSeed(9)},
              [&] { ColumnSumsKernel<T>(call); });
    RunKernel({.grid = {kWidth / kPartColumns, 1, 1},
               .threads = kPartColumns * kPartSlices,
               .seed = TestSeed(10)},
              [&] { SumPartsKernel(scratch.data(), kSumBlocks, kWidth, sums.data()); });
    for (int64_t c = 0; c < kWidth; ++c) {
      double expected = 0;
      for (int64_t r = 0; r < rows; ++r) expected += Widen(x[r * kWidth + c]);
      EXPECT_NEAR(sums[c], expected, 1e-5 * rows) << "column " << c << " of " << rows << " rows";
    }
  }
}

}  // namespace
}  // namespace spion::cuda
