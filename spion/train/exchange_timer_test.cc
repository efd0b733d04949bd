#include "spion/train/exchange_timer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

namespace spion {
namespace {

// Of the exchanges that are measured one takes least, one most; of the others none takes any time.
TEST(ExchangeTimerTest, IsTheMedianOfEveryEighth) {
  ExchangeTimer timer(at::kCPU);
  EXPECT_FALSE(timer.MedianMs().has_value());
  std::vector<double> around_ms;
  for (int exchange = 0; exchange <= 20; ++exchange) {
    const auto before = std::chrono::steady_clock::now();
    timer.Start();
    if (exchange % 8 == 4)
      std::this_thread::sleep_for(std::chrono::milliseconds(3 * exchange - 11));
    timer.Stop();
    timer.Collect();
    if (exchange % 8 != 4) continue;
    around_ms.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - before)
            .count());
  }
  std::sort(around_ms.begin(), around_ms.end());
  EXPECT_GE(timer.MedianMs(), 25);
  EXPECT_LE(timer.MedianMs(), around_ms[1]);
}

}  // namespace
}  // namespace spion
