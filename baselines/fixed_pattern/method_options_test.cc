#include "baselines/fixed_pattern/method_options.h"

#include <set>

#include "gtest/gtest.h"

namespace spion {
namespace {

// The figures of docs/baselines.md.

TEST(MethodOptionsTest, LongformersWindowGrowsAt4096) {
  for (const auto& [length, window] : {std::pair(1024, 1), {2048, 1}, {4095, 1}, {4096, 2}}) {
    const LongformerOptions options = LongformerMethodOptions(length);
    EXPECT_EQ(options.window, window) << length;
    EXPECT_EQ(options.block_size, 16);
    EXPECT_EQ(options.global, 1);
  }
}

TEST(MethodOptionsTest, EveryLayerOfBigBirdHasASeedOfItsOwn) {
  std::set<uint64_t> seeds;
  for (int layer = 0; layer < 100; ++layer) {
    const BigBirdOptions options = BigBirdMethodOptions(layer);
    EXPECT_EQ(options.block_size, 64);
    EXPECT_EQ(options.random, 3);
    EXPECT_EQ(options.seed, BigBirdMethodOptions(layer).seed);
    seeds.insert(options.seed);
  }
  EXPECT_EQ(seeds.size(), 100);
}

TEST(MethodOptionsTest, TheSparseTransformersStrideIsTheSquareRoot) {
  for (const auto& [length, stride] : {std::pair(1024, 2), {2048, 3}, {4096, 4}}) {
    const SparseTransformerOptions options = SparseTransformerMethodOptions(length);
    EXPECT_EQ(options.block_size, 16);
    EXPECT_EQ(options.stride, stride) << length;
  }
  const SparseTransformerOptions options = SparseTransformerMethodOptions(4096, /*block_size=*/32);
  EXPECT_EQ(options.block_size, 32);
  EXPECT_EQ(options.stride, 2);
}

}  // namespace
}  // namespace spion
