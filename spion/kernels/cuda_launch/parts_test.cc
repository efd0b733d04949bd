#include "spion/kernels/cuda_launch/parts.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace spion::cuda {
namespace {

using Parts = std::vector<std::pair<int64_t, int64_t>>;

Parts PartsOf(int64_t all, int64_t most) {
  Parts parts;
  const auto keep = [&](int64_t first, int64_t count) {
    parts.emplace_back(first, count);
    return cudaSuccess;
  };
  EXPECT_EQ(InParts(all, most, keep), cudaSuccess);
  return parts;
}

TEST(InPartsTest, CoversAllOnceInOrder) {
  EXPECT_EQ(PartsOf(0, 3), Parts());
  EXPECT_EQ(PartsOf(1, 3), (Parts{{0, 1}}));
  EXPECT_EQ(PartsOf(3, 3), (Parts{{0, 3}}));
  EXPECT_EQ(PartsOf(7, 3), (Parts{{0, 3}, {3, 3}, {6, 1}}));
  EXPECT_EQ(PartsOf(kMaxGridRows + 1, kMaxGridRows), (Parts{{0, 65535}, {65535, 1}}));
  EXPECT_EQ(PartsOf(int64_t{1} << 31, kMaxGridColumns), (Parts{{0, 2147483647}, {2147483647, 1}}));
}

TEST(InPartsTest, StopsAtAnError) {
  int calls = 0;
  const auto fail = [&](int64_t, int64_t) {
    ++calls;
    return cudaErrorInvalidValue;
  };
  EXPECT_EQ(InParts(7, 3, fail), cudaErrorInvalidValue);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace spion::cuda
