#include "spion/ops/stable/parallel.h"

#include <torch/csrc/stable/ops.h>

#include <algorithm>
#include <atomic>

namespace spion {

ParallelFor TorchParallelFor() {
  const auto threads = static_cast<int>(torch::stable::get_num_threads());
  return {.run =
              [threads](int64_t tasks, absl::FunctionRef<void(int64_t)> body) {
                // parallel_for splits evenly, but tasks differ in length (a row with many kept
                // blocks beside rows with one): so each of its shares draws from a common counter.
                std::atomic<int64_t> next{0};
                const auto draw = [&](int64_t, int64_t) {
                  for (int64_t task = next++; task < tasks; task = next++) body(task);
                };
                torch::stable::parallel_for(0, std::min<int64_t>(threads, tasks), 1, draw);
              },
          .threads = threads};
}

}  // namespace spion
