#include "spion/base/parallel.h"

#include <atomic>
#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace spion {
namespace {

TEST(SerialForTest, RunsTasksInOrderOnTheCallingThread) {
  std::vector<int64_t> seen;
  const std::thread::id caller = std::this_thread::get_id();
  SerialFor()(5, [&](int64_t task) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    seen.push_back(task);
  });
  EXPECT_EQ(seen, (std::vector<int64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(SerialFor().threads, 1);
}

class ThreadedForTest : public testing::TestWithParam<int> {};

TEST_P(ThreadedForTest, RunsEveryTaskExactlyOnce) {
  const ParallelFor parallel = ThreadedFor(GetParam());
  EXPECT_EQ(parallel.threads, GetParam());
  for (const int64_t tasks : {0, 1, 2, 3, 100}) {
    std::vector<std::atomic<int>> runs(tasks);
    parallel(tasks, [&](int64_t task) { ++runs[task]; });
    for (int64_t task = 0; task < tasks; ++task) {
      EXPECT_EQ(runs[task].load(), 1) << "task " << task << " of " << tasks;
    }
  }
}

TEST_P(ThreadedForTest, ResultsOfTheTasksAreVisibleAfterwards) {
  std::vector<int64_t> squares(1000);
  ThreadedFor(GetParam())(1000, [&](int64_t task) { squares[task] = task * task; });
  for (int64_t task = 0; task < 1000; ++task) EXPECT_EQ(squares[task], task * task);
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadedForTest, testing::Values(1, 2, 3, 8),
                         [](const auto& info) { return "Threads" + std::to_string(info.param); });

TEST(ThreadedForTest, TasksRunAtOnce) {
  // Two tasks that wait for each other can only finish side by side.
  std::atomic<int> arrived{0};
  ThreadedFor(2)(2, [&](int64_t) {
    ++arrived;
    while (arrived < 2) std::this_thread::yield();
  });
  EXPECT_EQ(arrived.load(), 2);
}

}  // namespace
}  // namespace spion
