#include "spion/pattern/transition.h"

#include <limits>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace spion {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kLimitPercent = 15;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TransitionTest::Observation Observe(TransitionTest& test, const std::vector<double>& distances) {
  return test.Observe(distances).value();
}

TEST(TransitionTestTest, FirstDistancesHaveNothingToCompareWith) {
  TransitionTest test(2, kLimitPercent);
  const auto first = Observe(test, {4.0, 0.0});
  EXPECT_THAT(first.change_percent, IsEmpty());
  EXPECT_FALSE(first.settled);
}

TEST(TransitionTestTest, ChangeIsRelativeToTheDistanceBefore) {
  TransitionTest test(2, kLimitPercent);
  Observe(test, {4.0, 2.0});
  EXPECT_THAT(Observe(test, {3.0, 3.0}).change_percent, ElementsAre(25.0, 50.0));
  // Against 3 and 3, the distances just before, not against 4 and 2.
  EXPECT_THAT(Observe(test, {1.5, 6.0}).change_percent, ElementsAre(50.0, 100.0));
}

TEST(TransitionTestTest, SettlesOnlyWhenEveryLayerIsBelowTheLimit) {
  TransitionTest test(3, kLimitPercent);
  Observe(test, {100.0, 100.0, 100.0});
  EXPECT_FALSE(Observe(test, {110.0, 90.0, 50.0}).settled);
  EXPECT_TRUE(Observe(test, {110.0, 95.0, 50.0}).settled);
}

TEST(TransitionTestTest, AShortHistoryNeverSettles) {
  TransitionTest test(1, kLimitPercent);
  EXPECT_FALSE(Observe(test, {5.0}).settled);
  EXPECT_TRUE(Observe(test, {5.0}).settled);
}

TEST(TransitionTestTest, TruncatesTheChangeBeforeItCompares) {
  for (const auto& [now, settled] : std::vector<std::pair<double, bool>>{
           {114.0, true}, {114.99, true}, {115.0, false}, {85.5, true}, {85.0, false}}) {
    SCOPED_TRACE(now);
    TransitionTest test(1, kLimitPercent);
    Observe(test, {100.0});
    EXPECT_EQ(Observe(test, {now}).settled, settled);
  }
  // A limit of 0 is met by nothing: a change of 0 truncates to 0, which is not below it. A limit of
  // 1 is met by everything under 1 %.
  TransitionTest never(1, /*limit_percent=*/0);
  Observe(never, {1.0});
  EXPECT_FALSE(Observe(never, {1.0}).settled);
  TransitionTest strict(1, /*limit_percent=*/1);
  Observe(strict, {1000.0});
  EXPECT_TRUE(Observe(strict, {1009.0}).settled);
  EXPECT_FALSE(Observe(strict, {1021.0}).settled);
}

TEST(TransitionTestTest, AfterAZeroOnlyAnotherZeroIsNoChange) {
  TransitionTest test(2, kLimitPercent);
  Observe(test, {0.0, 0.0});
  const auto changed = Observe(test, {0.0, 0.5});
  EXPECT_THAT(changed.change_percent, ElementsAre(0.0, kInfinity));
  EXPECT_FALSE(changed.settled);
  TransitionTest still(1, kLimitPercent);
  Observe(still, {0.0});
  EXPECT_TRUE(Observe(still, {0.0}).settled);
}

TEST(TransitionTestTest, AFallToZeroIsAChangeOfAHundred) {
  TransitionTest test(1, kLimitPercent);
  Observe(test, {3.0});
  EXPECT_THAT(Observe(test, {0.0}).change_percent, ElementsAre(DoubleEq(100.0)));
}

TEST(TransitionTestTest, ANewTestResumesFromTheNewestDistances) {
  TransitionTest first(1, kLimitPercent);
  Observe(first, {8.0});
  Observe(first, {4.0});
  TransitionTest resumed(1, kLimitPercent);
  Observe(resumed, {4.0});
  EXPECT_EQ(Observe(resumed, {5.0}).change_percent, Observe(first, {5.0}).change_percent);
}

TEST(TransitionTestTest, RefusesWrongDistancesAndStaysAsItWas) {
  TransitionTest test(2, kLimitPercent);
  Observe(test, {4.0, 2.0});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<std::vector<double>> wrong = {{},         {1.0},       {1.0, 1.0, 1.0},
                                                  {1.0, nan}, {-1.0, 1.0}, {kInfinity, 1.0}};
  for (const std::vector<double>& distances : wrong) {
    EXPECT_EQ(test.Observe(distances).status().code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_THAT(test.Observe({1.0}).status().message(), HasSubstr("1 distances"));
  EXPECT_THAT(test.Observe({1.0, nan}).status().message(), HasSubstr("distance nan of layer 1"));
  EXPECT_THAT(Observe(test, {3.0, 2.0}).change_percent, ElementsAre(25.0, 0.0));
}

TEST(TransitionTestTest, RefusesToObserveNoLayers) {
  EXPECT_FALSE(TransitionTest(0, kLimitPercent).Observe({}).ok());
  EXPECT_FALSE(TransitionTest(-1, kLimitPercent).Observe({}).ok());
}

}  // namespace
}  // namespace spion
