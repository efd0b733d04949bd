// How a kernel spreads independent tasks over threads, without knowing whose threads they are.
//
//   SerialFor()(tasks, [&](int64_t task) { ... });
//
// The kernels take a ParallelFor; the LibTorch operators hand in one over LibTorch's own pool, so
// that a training step has one set of threads.
#ifndef SPION_BASE_PARALLEL_H_
#define SPION_BASE_PARALLEL_H_

#include <cstdint>
#include <functional>

#include "absl/functional/function_ref.h"

namespace spion {

/// Calls `body(task)` once for every task in [0, tasks), in any order and on any thread, and
/// returns when all are done. `body` must not throw.
struct ParallelFor {
  std::function<void(int64_t tasks, absl::FunctionRef<void(int64_t task)> body)> run;
  /// How many tasks run at once. A kernel may choose its split by it.
  int threads = 1;

  void operator()(int64_t tasks, absl::FunctionRef<void(int64_t task)> body) const {
    run(tasks, body);
  }
};

/// All tasks in order on the calling thread.
ParallelFor SerialFor();

/// `threads` threads started for each call (for tests and tools; costs some 50 us a call).
/// Tasks are handed out dynamically. `threads` must be at least 1.
ParallelFor ThreadedFor(int threads);

}  // namespace spion

#endif  // SPION_BASE_PARALLEL_H_
