#include "spion/testing/tolerance.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gtest/gtest.h"

namespace spion {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(ToleranceTest, ErrorsAreRelativeToTheReference) {
  const std::vector<double> reference = {3, -4};
  EXPECT_EQ(NormError(std::vector<float>{3, -4}, reference), 0);
  EXPECT_DOUBLE_EQ(NormError(std::vector<float>{3, -3.5F}, reference), 0.5 / 5);
  EXPECT_DOUBLE_EQ(MaxError(std::vector<float>{3, -3.5F}, reference), 0.5 / 4);
}

TEST(ToleranceTest, NanNeverPasses) {
  for (const std::vector<float>& out : {std::vector<float>{kNan, 1}, std::vector<float>{1, kNan}}) {
    for (const std::vector<double>& reference :
         {std::vector<double>{1, 1}, std::vector<double>{0, 0}}) {
      EXPECT_FALSE(NormError(out, reference) <= 1e30);
      EXPECT_FALSE(MaxError(out, reference) <= 1e30);
    }
  }
}

TEST(ToleranceTest, ZeroReferenceAllowsOnlyZero) {
  const std::vector<double> zeros = {0, 0};
  EXPECT_EQ(NormError(std::vector<float>{0, 0}, zeros), 0);
  EXPECT_EQ(NormError(std::vector<float>{0, 1e-30F}, zeros), kInfinity);
  EXPECT_EQ(MaxError(std::vector<float>{0, 1e-30F}, zeros), kInfinity);
}

TEST(ToleranceTest, SmallestScaleHoldsWhatCancels) {
  const std::vector<double> reference = {0, 1e-9};
  EXPECT_DOUBLE_EQ(NormError(std::vector<float>{0.5F, 0}, reference, 5), 0.1);
  EXPECT_DOUBLE_EQ(MaxError(std::vector<float>{0.5F, 0}, reference, 2), 0.25);
  EXPECT_FALSE(NormError(std::vector<float>{kNan, 0}, reference, 5) <= 1e30);
}

TEST(ToleranceTest, DifferentSizesNeverPass) {
  EXPECT_TRUE(std::isnan(NormError(std::vector<float>{1}, std::vector<double>{1, 1})));
  EXPECT_TRUE(std::isnan(MaxError(std::vector<float>{1}, std::vector<double>{1, 1})));
}

TEST(ToleranceTest, BoundsGrowWithScoresAndTerms) {
  const AttentionTolerance small = {.max_score = 5, .terms = 64};
  EXPECT_GT(small.forward(), 1e-7);
  EXPECT_LT(small.forward(), 1e-5);
  EXPECT_LT(small.forward(), small.backward());
  EXPECT_LT(small.forward(), (AttentionTolerance{.max_score = 50, .terms = 64}.forward()));
  EXPECT_LT(small.forward(), (AttentionTolerance{.max_score = 5, .terms = 640}.forward()));
}

}  // namespace
}  // namespace spion
