#include "spion/base/parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace spion {

ParallelFor SerialFor() {
  return {.run =
              [](int64_t tasks, absl::FunctionRef<void(int64_t)> body) {
                for (int64_t task = 0; task < tasks; ++task) body(task);
              },
          .threads = 1};
}

ParallelFor ThreadedFor(int threads) {
  return {.run =
              [threads](int64_t tasks, absl::FunctionRef<void(int64_t)> body) {
                std::atomic<int64_t> next{0};
                const auto work = [&next, tasks, body] {
                  for (int64_t task = next++; task < tasks; task = next++) body(task);
                };
                // The calling thread is one of the workers.
                const int64_t helpers = std::min<int64_t>(threads, tasks) - 1;
                std::vector<std::thread> pool;
                for (int64_t i = 0; i < helpers; ++i) pool.emplace_back(work);
                work();
                for (std::thread& thread : pool) thread.join();
              },
          .threads = threads};
}

}  // namespace spion
