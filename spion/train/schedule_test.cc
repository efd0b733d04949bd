#include "spion/train/schedule.h"

#include <gtest/gtest.h>

namespace spion {
namespace {

// PyTorch: OneCycleLR(max_lr=1e-3, total_steps=100, pct_start=0.1, anneal_strategy="linear") has
// its start at step 0, its peak at step 0.1 * 100 - 1 = 9 and its end at step 99.
TEST(OneCycleScheduleTest, MatchesPyTorchAtItsCorners) {
  const OneCycleSchedule schedule(1e-3, 10, 100);
  EXPECT_DOUBLE_EQ(schedule.At(0), 4e-5);
  EXPECT_DOUBLE_EQ(schedule.At(9), 1e-3);
  EXPECT_NEAR(schedule.At(99), 4e-9, 1e-18);
}

TEST(OneCycleScheduleTest, IsLinearInBetween) {
  const OneCycleSchedule schedule(1e-3, 11, 101);
  EXPECT_NEAR(schedule.At(5), (4e-5 + 1e-3) / 2, 1e-15);
  EXPECT_NEAR(schedule.At(55), (1e-3 + 4e-9) / 2, 1e-15);
}

TEST(OneCycleScheduleTest, StaysAtItsEnd) {
  const OneCycleSchedule schedule(1e-3, 10, 100);
  EXPECT_DOUBLE_EQ(schedule.At(1000), schedule.At(99));
}

TEST(OneCycleScheduleTest, CopesWithRunsShorterThanTheWarmUp) {
  const OneCycleSchedule schedule(1e-3, 10, 5);
  for (int step = 0; step < 5; ++step) {
    EXPECT_GT(schedule.At(step), 0);
    EXPECT_LE(schedule.At(step), 1e-3);
  }
}

TEST(OneCycleScheduleTest, WithoutWarmUpTheOnlyStepIsTheEnd) {
  EXPECT_NEAR(OneCycleSchedule(1e-3, 0, 1).At(0), 4e-9, 1e-18);
  EXPECT_DOUBLE_EQ(OneCycleSchedule(1e-3, 1, 1).At(0), 1e-3);
}

}  // namespace
}  // namespace spion
