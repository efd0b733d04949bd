#include "spion/collective/rank_threads.h"

#include <c10/util/Exception.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <thread>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <vector>

#include "spion/collective/gloo_group.h"

namespace spion {
namespace {

// LibTorch 2.11 notes the calls of all groups of a process in one place, by a map that it changes
// without a lock: threads that are ranks crash there. It reads this when it notes the first.
void NoteNoCalls() {
  static const int is_set = setenv("TORCH_FR_BUFFER_SIZE", "0", /*overwrite=*/1);
  TORCH_CHECK(is_set == 0, "the environment takes no variable");
}

}  // namespace

void RunRanks(int ranks, const std::function<void(Group& group)>& rank) {
  if (ranks == 1) {
    Alone alone;
    return rank(alone);
  }
  NoteNoCalls();
  const auto store = c10::make_intrusive<c10d::HashStore>();
  std::vector<std::exception_ptr> thrown(ranks);
  std::vector<std::thread> threads;
  threads.reserve(ranks);
  for (int number = 0; number < ranks; ++number) {
    threads.emplace_back([&, number] {
      try {
        rank(*MakeGlooGroup(store, number, ranks, std::chrono::minutes(1)));
      } catch (...) {
        thrown[number] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& exception : thrown) {
    if (exception) std::rethrow_exception(exception);
  }
}

}  // namespace spion
