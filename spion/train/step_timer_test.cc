#include "spion/train/step_timer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

namespace spion {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kSleepMs = 20;

void Sleep() { std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(kSleepMs)); }

double MsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// A timer with these windows of the dense phase.
StepTimer TimerOf(const std::vector<double>& windows_ms) {
  TrainingState state;
  state.PutValue("timer.step_ms", 0.0);
  state.PutValue("timer.windows_ms.dense", windows_ms);
  StepTimer timer(at::kCPU);
  EXPECT_TRUE(timer.RestoreFrom(state).ok());
  return timer;
}

TEST(StepTimerTest, TheMedianLeavesOutTheFirstWindow) {
  EXPECT_EQ(TimerOf({100, 3, 1, 2}).MedianStepMs(Phase::kDense), 2);
  EXPECT_EQ(TimerOf({1, 30, 20, 10, 50, 40}).MedianStepMs(Phase::kDense), 30);
  EXPECT_EQ(TimerOf({1, 9}).MedianStepMs(Phase::kDense), 9);
  EXPECT_EQ(TimerOf({7}).MedianStepMs(Phase::kDense), 7);  // there is no other
}

TEST(StepTimerTest, EachPhaseHasItsOwn) {
  EXPECT_FALSE(TimerOf({7}).MedianStepMs(Phase::kSparse).has_value());
  EXPECT_FALSE(StepTimer(at::kCPU).MedianStepMs(Phase::kDense).has_value());
}

TEST(StepTimerTest, AStateKeepsItsWindows) {
  TrainingState state;
  TimerOf({5, 3, 1, 2}).SaveTo(state);
  StepTimer timer(at::kCPU);
  ASSERT_TRUE(timer.RestoreFrom(state).ok());
  EXPECT_EQ(timer.MedianStepMs(Phase::kDense), 2);
}

TEST(StepTimerTest, AWindowsTimeIsSharedOutAmongItsSteps) {
  StepTimer timer(at::kCPU);
  const Clock::time_point before = Clock::now();
  timer.Start();
  Sleep();
  for (int step = 0; step < 4; ++step) timer.CountStep();
  timer.Close(Phase::kDense, /*counts=*/true);
  EXPECT_GE(4 * timer.step_ms(), kSleepMs);
  EXPECT_LE(4 * timer.step_ms(), MsSince(before));
  // And the next begins.
  Sleep();
  timer.CountStep();
  timer.Close(Phase::kSparse, /*counts=*/true);
  EXPECT_GE(timer.step_ms(), kSleepMs);
  EXPECT_LE(timer.step_ms(), MsSince(before) - kSleepMs);
  EXPECT_EQ(timer.MedianStepMs(Phase::kSparse), timer.step_ms());
}

TEST(StepTimerTest, AWindowThatDoesNotCountIsToldOnlyUntilOneDoes) {
  StepTimer timer(at::kCPU);
  const auto close = [&](bool counts) {
    Sleep();
    timer.CountStep();
    timer.Close(Phase::kDense, counts);
    return timer.step_ms();
  };
  timer.Start();
  const double first = close(false);
  EXPECT_GE(first, kSleepMs);
  EXPECT_FALSE(timer.MedianStepMs(Phase::kDense).has_value());
  const double second = close(true);
  EXPECT_NE(second, first);
  EXPECT_EQ(timer.MedianStepMs(Phase::kDense), second);
  EXPECT_EQ(close(false), second);
}

TEST(StepTimerTest, TheNewestWindowThatCountedIsTakenOnce) {
  StepTimer timer(at::kCPU);
  const auto close = [&](bool counts) {
    timer.CountStep();
    timer.Close(Phase::kDense, counts);
  };
  timer.Start();
  close(false);
  EXPECT_FALSE(timer.TakeNewestMs().has_value());
  close(true);
  close(true);
  const double newest = timer.step_ms();
  close(false);
  EXPECT_EQ(timer.TakeNewestMs(), newest);
  EXPECT_FALSE(timer.TakeNewestMs().has_value());
  EXPECT_EQ(timer.step_ms(), newest);
}

TEST(StepTimerTest, StepsBeforeAStartAreForgotten) {
  StepTimer timer(at::kCPU);
  timer.Start();
  timer.CountStep();
  timer.Start();
  timer.Close(Phase::kDense, /*counts=*/true);
  EXPECT_FALSE(timer.MedianStepMs(Phase::kDense).has_value());
}

}  // namespace
}  // namespace spion
