#include "spion/ops/stable/parallel.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace spion {
namespace {

TEST(TorchParallelForTest, RunsEveryTaskOnce) {
  std::vector<std::atomic<int>> runs(1000);
  TorchParallelFor()(1000, [&](int64_t task) { ++runs[task]; });
  for (const std::atomic<int>& count : runs) EXPECT_EQ(count, 1);
}

TEST(TorchParallelForTest, NoTasksIsNoCall) {
  TorchParallelFor()(0, [](int64_t) { FAIL(); });
}

// Two tasks that wait for each other: only threads that really run side by side get through.
TEST(TorchParallelForTest, RunsTasksSideBySide) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer does not see the barriers of OpenMP";
#endif
  at::set_num_threads(2);
  std::atomic<int> arrived{0};
  std::atomic<int> met{0};
  TorchParallelFor()(2, [&](int64_t) {
    ++arrived;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (arrived < 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    if (arrived == 2) ++met;
  });
  EXPECT_EQ(met, 2);
}

}  // namespace
}  // namespace spion
