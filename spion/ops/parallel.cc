#include "spion/ops/parallel.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>

namespace spion {

ParallelFor TorchParallelFor() {
  const int threads = at::get_num_threads();
  return {.run =
              [threads](int64_t tasks, absl::FunctionRef<void(int64_t)> body) {
                // at::parallel_for splits evenly, but tasks differ in length (a row with many kept
                // blocks beside rows with one): so each of its shares draws from a common counter.
                std::atomic<int64_t> next{0};
                at::parallel_for(0, std::min<int64_t>(threads, tasks), 1, [&](int64_t, int64_t) {
                  for (int64_t task = next++; task < tasks; task = next++) body(task);
                });
              },
          .threads = threads};
}

}  // namespace spion
