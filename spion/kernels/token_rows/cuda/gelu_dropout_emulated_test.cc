// GELU and dropout by the device code on the CPU, held against the formulas in double.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "gtest/gtest.h"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/emulated.h"
#include "spion/kernels/token_rows/cuda/gelu_dropout.cuh"
#include "spion/testing/seed.h"

namespace spion::cuda {
namespace {

TEST(NormalProbabilityTest, IsThatOfTheErrorFunction) {
  constexpr int kSteps = 12000;
  std::vector<float> results(2 * kSteps + 1);
  const auto at = [](int i) { return static_cast<float>(i - kSteps) / 1000; };
  RunKernel({.grid = {1, 1, 1}, .threads = 1, .seed = 1}, [&] {
    for (int i = 0; i < results.size(); ++i) results[i] = NormalProbability(at(i));
  });
  for (int i = 0; i < results.size(); ++i) {
    const double x = at(i);
    const double expected = 0.5 * std::erfc(-x / std::numbers::sqrt2);
    ASSERT_NEAR(results[i], expected, 1.5e-7) << x;
    ASSERT_NEAR(x * results[i], x * expected, 1.5e-7 * std::max(1.0, x)) << x;
  }
  RunKernel({.grid = {1, 1, 1}, .threads = 1, .seed = 1}, [&] {
    EXPECT_EQ(NormalProbability(-1e30F), 0);
    EXPECT_EQ(NormalProbability(1e30F), 1);
    EXPECT_EQ(NormalProbability(0), 0.5F);
  });
}

template <typename T>
class EmulatedGeluTest : public testing::Test {};
using Numbers32And16 = testing::Types<float, BFloat16>;
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
    const GeluDropoutForward<T> forward = {count, x.data(), dropout, out.data()};
    RunKernel(launch, [&] { GeluDropoutForwardKernel<T>(forward); });
    const GeluDropoutBackward<T> backward = {count, grad_out.data(), x.data(), dropout,
                                             grad_x.data()};
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
