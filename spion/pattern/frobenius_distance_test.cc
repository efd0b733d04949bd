#include "spion/pattern/frobenius_distance.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spion/pattern/pattern_oracle.h"

namespace spion {
namespace {

using ::testing::HasSubstr;

TEST(FrobeniusDistanceTest, IsTheRootOfTheSquaredDifferences) {
  const std::vector<float> a = {1, 2, 3, 4};
  const std::vector<float> b = {3, 2, 7, 0};
  EXPECT_EQ(FrobeniusDistance({a, 2}, {b, 2}).value(), 6.0);  // 4 + 0 + 16 + 16 = 36
  EXPECT_EQ(FrobeniusDistance({b, 2}, {a, 2}).value(), 6.0);
}

TEST(FrobeniusDistanceTest, IsZeroForTheSameMap) {
  const std::vector<float> a = RandomAttentionMap(33, /*seed=*/1);
  EXPECT_EQ(FrobeniusDistance({a, 33}, {a, 33}).value(), 0.0);
}

TEST(FrobeniusDistanceTest, SumsInDouble) {
  // In float, adding 2^-24 to 1 changes nothing: the sum would stay 1.
  std::vector<float> a(1024 * 1024, 0x1p-12f);
  a[0] = 1.0f;
  const std::vector<float> b(a.size(), 0.0f);
  EXPECT_DOUBLE_EQ(FrobeniusDistance({a, 1024}, {b, 1024}).value(),
                   std::sqrt(1.0 + (1024 * 1024 - 1) * 0x1p-24));
}

TEST(FrobeniusDistanceTest, EqualsAPlainLoopOnRandomMaps) {
  for (const int64_t side : {1, 3, 19, 64, 99}) {
    SCOPED_TRACE(side);
    const std::vector<float> a = RandomAttentionMap(side, /*seed=*/2);
    const std::vector<float> b = RandomAttentionMap(side, /*seed=*/3);
    long double sum = 0.0L;
    for (size_t i = 0; i < a.size(); ++i) {
      const long double difference = static_cast<long double>(a[i]) - b[i];
      sum += difference * difference;
    }
    EXPECT_NEAR(FrobeniusDistance({a, side}, {b, side}).value(),
                static_cast<double>(std::sqrt(sum)), 1e-12);
  }
}

TEST(FrobeniusDistanceTest, ANaNShowsInTheResult) {
  const std::vector<float> a = {1, std::numeric_limits<float>::quiet_NaN(), 3, 4};
  const std::vector<float> b(4);
  EXPECT_TRUE(std::isnan(FrobeniusDistance({a, 2}, {b, 2}).value()));
}

TEST(FrobeniusDistanceTest, RefusesMapsOfDifferentOrWrongSize) {
  const std::vector<float> four(4);
  const std::vector<float> nine(9);
  const auto result = FrobeniusDistance({four, 2}, {nine, 3});
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(result.status().message(), HasSubstr("sides 2 and 3"));
  EXPECT_FALSE(FrobeniusDistance({four, 3}, {nine, 3}).ok());
  EXPECT_FALSE(FrobeniusDistance({nine, 3}, {four, 3}).ok());
  EXPECT_FALSE(FrobeniusDistance({{}, 0}, {{}, 0}).ok());
}

}  // namespace
}  // namespace spion
