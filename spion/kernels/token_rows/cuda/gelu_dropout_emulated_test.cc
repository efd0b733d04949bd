// GELU and dropout by the device code on the CPU, held against the formulas in double.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <type_traits>
#include <vector>

#include "gtest/gtest.h"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/emulated.h"
#include "spion/kernels/token_rows/cuda/gelu_dropout.cuh"
#include "spion/testing/seed.h"

namespace spion::cuda {
namespace {

template <typename T>
class GeluTest : public testing::Test {};
using Numbers32And16 = testing::Types<float, BFloat16>;
TYPED_TEST_SUITE(GeluTest, Numbers32And16);

TYPED_TEST(GeluTest, IsThatOfTheErrorFunction) {
  constexpr int kSteps = 12000;
  constexpr double kError = std::is_same_v<TypeParam, BFloat16> ? 2e-6 : 2e-7;
  struct Results {
    float tail, gelu, slope;
  };
  std::vector<Results> results(2 * kSteps + 1);
  const auto of = [](float x) -> Results {
    const float tail = NormalTail<TypeParam>(x);
    return {tail, Gelu(x, tail), GeluSlope(x, tail)};
  };
  const auto at = [](int i) { return static_cast<float>(i - kSteps) / 1000; };
  RunKernel({.grid = {1, 1, 1}, .threads = 1, .seed = 1}, [&] {
    for (int i = 0; i < results.size(); ++i) results[i] = of(at(i));
  });
  for (int i = 0; i < results.size(); ++i) {
    const double x = at(i);
    const double probability = 0.5 * std::erfc(-x / std::numbers::sqrt2);
    const double density = std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
    ASSERT_NEAR(results[i].tail, 0.5 * std::erfc(std::abs(x) / std::numbers::sqrt2), kError) << x;
    ASSERT_NEAR(results[i].gelu, x * probability, kError * std::max(1.0, x)) << x;
    ASSERT_NEAR(results[i].slope, probability + x * density, kError) << x;
  }
  RunKernel({.grid = {1, 1, 1}, .threads = 1, .seed = 1}, [&] {
    EXPECT_EQ(of(-1e30F).gelu, 0);
    EXPECT_EQ(of(1e30F).gelu, 1e30F);
    EXPECT_EQ(of(0).tail, 0.5F);
    EXPECT_EQ(of(1e30F).slope, 1);
  });
}

template <typename T>
class EmulatedGeluTest : public testing::Test {};
TYPED_TEST_SUITE(EmulatedGeluTest, Numbers32And16);

TYPED_TEST(EmulatedGeluTest, GeluThenDropout) {
  using T = TypeParam;
  constexpr float kProbability = 0.2F;
  const Dropout dropout = DropoutOf(kProbability);
  for (const int64_t count : {8, 4096, 7000}) {
    auto x = Numbers<T>(count, 0, 18);
    for (int64_t i = 0; i < count; ++i) {
      if (Widen(x[i]) == 0) x[i] = Round<T>(1);  // whose GELU tells the mask
    }
    const auto grad_out = Numbers<T>(count, 0, 19);
    std::vector<T> out(count), grad_x(count);
    const auto blocks = static_cast<unsigned>((count / 8 + kEightsPerBlock - 1) / kEightsPerBlock);
    const EmulatedLaunch launch = {
        .grid = {blocks, 1, 1}, .threads = kGeluThreads, .seed = TestSeed(20)};
    Drawn drawn;
    const GeluDropoutForward<T> forward = {count, x.data(), drawn.Of(dropout), out.data()};
    RunKernel(launch, [&] { GeluDropoutForwardKernel<T>(forward); });
    const GeluDropoutBackward<T> backward = {count, grad_out.data(), x.data(),
                                             drawn.Again(kProbability), grad_x.data()};
    RunKernel(launch, [&] { GeluDropoutBackwardKernel<T>(backward); });

    std::vector<double> factors(count), expected(count), slope(count);
    for (int64_t i = 0; i < count; ++i) {
      const double v = Widen(x[i]);
      const double probability = 0.5 * (1 + std::erf(v / std::numbers::sqrt2));
      const double density = std::exp(-v * v / 2) / std::sqrt(2 * std::numbers::pi);
      factors[i] = Widen(out[i]) != 0 ? 1 / (1 - double{kProbability}) : 0;
      expected[i] = factors[i] * v * probability;
      slope[i] = factors[i] * Widen(grad_out[i]) * (probability + v * density);
    }
    ExpectNear(out, expected, kTolerance<T>, "gelu");
    ExpectNear(grad_x, slope, kTolerance<T>, "x");
    ExpectFactors(factors, kProbability);
    if (count % 128 == 0) ExpectDistinctRows(factors, 128);
  }
}

}  // namespace
}  // namespace spion::cuda
