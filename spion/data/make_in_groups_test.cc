#include "spion/data/make_in_groups.h"

#include <atomic>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "spion/base/parallel.h"

namespace spion {
namespace {

/// Numbers 0, 1, 2, ... in groups of three.
std::vector<int64_t> Numbers(int64_t count, const ParallelFor& parallel) {
  return MakeInGroups<int64_t>(count, 3, parallel, [](int64_t group, absl::Span<int64_t> three) {
    for (size_t i = 0; i < three.size(); ++i) three[i] = 3 * group + static_cast<int64_t>(i);
  });
}

TEST(MakeInGroupsTest, PutsEachExampleInItsPlace) {
  for (const ParallelFor& parallel : {SerialFor(), ThreadedFor(4)}) {
    for (int64_t count : {0, 1, 2, 3, 4, 1000}) {
      const std::vector<int64_t> numbers = Numbers(count, parallel);
      ASSERT_EQ(static_cast<int64_t>(numbers.size()), count);
      for (int64_t i = 0; i < count; ++i) EXPECT_EQ(numbers[i], i);
    }
  }
}

TEST(MakeInGroupsTest, MakesNoMoreGroupsThanItTakes) {
  std::atomic<int> calls = 0;
  MakeInGroups<int>(7, 3, ThreadedFor(2), [&](int64_t, absl::Span<int> three) {
    EXPECT_EQ(three.size(), 3u);
    ++calls;
  });
  EXPECT_EQ(calls, 3);
}

}  // namespace
}  // namespace spion
