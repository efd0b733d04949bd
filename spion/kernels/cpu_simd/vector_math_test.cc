#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "spion/base/random.h"
#include "spion/kernels/cpu_simd/instruction_set.h"
#include "spion/kernels/cpu_simd/probe.h"

namespace spion::cpu_simd {
namespace {

struct ProbeResult {
  std::vector<float> exp2, log2, transposed, row_dots;
};

std::vector<float> Matrix() {
  std::vector<float> matrix(16 * 32);
  for (int64_t i = 0; i < 16 * 32; ++i) matrix[i] = static_cast<float>(i % 97);
  return matrix;
}

ProbeResult RunProbe(std::vector<float> x, InstructionSet set) {
  while (x.size() % 16 != 0) x.push_back(1);
  const std::vector<float> matrix = Matrix();
  ProbeResult result = {std::vector<float>(x.size()), std::vector<float>(x.size()),
                        std::vector<float>(32 * 16), std::vector<float>(16)};
  const ProbeCall call = {.x = x.data(),
                          .count = static_cast<int64_t>(x.size()),
                          .exp2 = result.exp2.data(),
                          .log2 = result.log2.data(),
                          .matrix = matrix.data(),
                          .transposed = result.transposed.data(),
                          .row_dots = result.row_dots.data()};
  switch (set) {
    case InstructionSet::kPortable:
      ProbePortable(call);
      break;
#if defined(__x86_64__)
    case InstructionSet::kAvx2:
      ProbeAvx2(call);
      break;
    case InstructionSet::kAvx512:
      ProbeAvx512(call);
      break;
#endif
    default:
      ADD_FAILURE() << "no probe for " << Name(set);
  }
  return result;
}

/// Distance of `x` from `exact` in units of the last place of `exact`.
double Ulps(float x, double exact) {
  int exponent = 0;
  std::frexp(exact, &exponent);
  return std::abs(x - exact) / std::ldexp(1.0, exponent - 24);
}

class VectorMathTest : public testing::TestWithParam<InstructionSet> {};

TEST_P(VectorMathTest, Exp2IsGoodToTwoAndAHalfUlp) {
  std::vector<float> x = {0, 1, -1, 0.5F, -0.5F, 126.5F, 127.4F, -124.9F, 1e-30F, -1e-30F};
  Random random(1);
  for (int i = 0; i < 200'000; ++i) x.push_back(static_cast<float>(random.Uniform() * 250 - 124));
  for (int i = 0; i < 200'000; ++i) x.push_back(static_cast<float>(random.Uniform() * 4 - 3));
  const ProbeResult result = RunProbe(x, GetParam());
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    worst = std::fmax(worst, Ulps(result.exp2[i], std::exp2(static_cast<double>(x[i]))));
  }
  EXPECT_LE(worst, 2.5);
  EXPECT_EQ(result.exp2[0], 1);
}

TEST_P(VectorMathTest, Exp2OfVeryNegativeIsZeroAndNanStaysNan) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> x = {-125.01F, -126.5F, -150, -1e4F, -1e9F, -3e38F, -infinity};
  const ProbeResult result = RunProbe(x, GetParam());
  for (size_t i = 0; i < x.size(); ++i) EXPECT_EQ(result.exp2[i], 0) << x[i];
  EXPECT_TRUE(std::isnan(RunProbe({std::numeric_limits<float>::quiet_NaN()}, GetParam()).exp2[0]));
}

TEST_P(VectorMathTest, Log2IsGoodToThreeUlp) {
  std::vector<float> x = {1, 2, 0.5F, 3, 4096, 1e30F, 1.2e-38F};
  Random random(2);
  for (int i = 0; i < 200'000; ++i) {
    x.push_back(static_cast<float>(std::exp2(random.Uniform() * 60 - 30)));
  }
  for (int i = 0; i < 100'000; ++i) x.push_back(static_cast<float>(0.5 + random.Uniform() * 1.5));
  const ProbeResult result = RunProbe(x, GetParam());
  for (size_t i = 0; i < x.size(); ++i) {
    const double exact = std::log2(static_cast<double>(x[i]));
    // Exponent and fraction are added, so near 1, where they cancel, the error is one of 2^-23.
    const double limit = std::fmax(0x1p-23, 3 * std::abs(exact) * 0x1p-23);
    ASSERT_LE(std::abs(result.log2[i] - exact), limit) << x[i];
  }
  EXPECT_EQ(result.log2[0], 0);
  EXPECT_EQ(result.log2[1], 1);
}

TEST_P(VectorMathTest, TransposesAndDots) {
  const std::vector<float> matrix = Matrix();
  const ProbeResult result = RunProbe({1}, GetParam());
  for (int64_t row = 0; row < 16; ++row) {
    float dot = 0;  // whole numbers below 2^24: exact in any order
    for (int64_t column = 0; column < 32; ++column) {
      const float x = matrix[row * 32 + column];
      EXPECT_EQ(result.transposed[column * 16 + row], 2 * x) << row << ", " << column;
      dot += x * x;
    }
    EXPECT_EQ(result.row_dots[row], 3 * dot);
  }
}

INSTANTIATE_TEST_SUITE_P(All, VectorMathTest, testing::ValuesIn(SupportedInstructionSets()),
                         [](const auto& info) { return Name(info.param); });

}  // namespace
}  // namespace spion::cpu_simd
