#include "spion/pattern/quantile.h"

#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spion/base/random.h"
#include "spion/pattern/pattern_oracle.h"

namespace spion {
namespace {

using ::testing::HasSubstr;

TEST(QuantileTest, InterpolatesBetweenEntries) {
  // Ascending: 1, 2, 3, 5. Rank q * 3.
  const std::vector<double> values = {5, 2, 1, 3};
  EXPECT_EQ(Quantile(values, 0.5).value(), 2.5);    // rank 1.5
  EXPECT_EQ(Quantile(values, 0.25).value(), 1.75);  // rank 0.75
  EXPECT_EQ(Quantile(values, 0.75).value(), 3.5);   // rank 2.25
}

TEST(QuantileTest, AWholeRankIsTheEntry) {
  const std::vector<double> values = {40, 10, 30, 20, 50};
  EXPECT_EQ(Quantile(values, 0.25).value(), 20);
  EXPECT_EQ(Quantile(values, 0.5).value(), 30);
}

TEST(QuantileTest, TheEndsAreTheSmallestAndTheLargest) {
  const std::vector<double> values = {5, -2, 1, 3};
  EXPECT_EQ(Quantile(values, 0.0).value(), -2);
  EXPECT_EQ(Quantile(values, 1.0).value(), 5);
}

TEST(QuantileTest, OneEntryIsEveryQuantile) {
  for (const double q : {0.0, 0.3, 1.0}) EXPECT_EQ(Quantile({7.0}, q).value(), 7.0);
}

TEST(QuantileTest, EqualEntriesGiveThatEntryExactly) {
  const std::vector<double> values(1024, 0.1);
  EXPECT_EQ(Quantile(values, 0.96).value(), 0.1);
}

TEST(QuantileTest, EqualsTheSortedEntriesOnRandomValues) {
  for (const int count : {2, 19, 99, 989, 4096}) {
    SCOPED_TRACE(count);
    Random random(/*seed=*/count);
    std::vector<double> values(count);
    for (double& value : values) value = static_cast<double>(random.Below(count));  // with ties
    for (const double q : {0.0, 0.01, 0.37, 0.5, 0.96, 0.99, 0.999, 1.0}) {
      EXPECT_EQ(Quantile(values, q).value(), NaiveQuantile(values, q)) << "q = " << q;
    }
  }
}

TEST(QuantileTest, RefusesWhatHasNoQuantile) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(Quantile({}, 0.5).status().message(), HasSubstr("no values"));
  EXPECT_THAT(Quantile({1.0}, -0.01).status().message(), HasSubstr("q = -0.01"));
  EXPECT_THAT(Quantile({1.0}, 1.01).status().message(), HasSubstr("q = 1.01"));
  EXPECT_THAT(Quantile({1.0}, nan).status().message(), HasSubstr("q = nan"));
  EXPECT_THAT(Quantile({1.0, nan}, 0.5).status().message(), HasSubstr("value 1 is NaN"));
  EXPECT_EQ(Quantile({}, 0.5).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace spion
