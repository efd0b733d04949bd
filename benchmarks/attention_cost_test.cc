// Figures worked out by hand: B 2, H 3, L 8, d 4, blocks of 2, 5 kept. 48 rows; 20 kept pairs a
// head, 120 in all.
#include "benchmarks/attention_cost.h"

#include <gtest/gtest.h>

namespace spion {
namespace {

constexpr AttentionSize kSize{
    .batch = 2, .heads = 3, .length = 8, .head_dim = 4, .block_size = 2, .kept_blocks = 5};

TEST(UsefulFlopsTest, CountsTheProductsInTheKeptBlocks) {
  EXPECT_EQ(UsefulFlops(kSize, Pass::kForward), 120 * 4 * 2 * 2);
  EXPECT_EQ(UsefulFlops(kSize, Pass::kBackward), 120 * 4 * 2 * 5);
  EXPECT_EQ(UsefulFlops(kSize, Pass::kBoth), 120 * 4 * 2 * 7);
}

TEST(FewestBytesTest, ReadsInputsAndWritesOutputsOnce) {
  // A tensor has 48 rows of 4 elements of 2 bytes: 384 bytes. A float a row: 192 bytes.
  EXPECT_EQ(FewestBytes(kSize, 2, Pass::kForward), 4 * 384 + 192);
  EXPECT_EQ(FewestBytes(kSize, 2, Pass::kBackward), 8 * 384 + 192);
  EXPECT_EQ(FewestBytes(kSize, 2, Pass::kBoth), 12 * 384 + 2 * 192);
  EXPECT_EQ(FewestBytes(kSize, 4, Pass::kForward), 4 * 768 + 192);
}

TEST(MaterialisedBytesTest, IsFourAttentionMatricesAHead) {
  EXPECT_EQ(MaterialisedBytes(kSize, 4), 4 * 6 * 8 * 8 * 4);
}

TEST(AttentionCostTest, SurvivesSizesBeyond32Bits) {
  const AttentionSize large{.batch = 256,
                            .heads = 2,
                            .length = 65536,
                            .head_dim = 128,
                            .block_size = 64,
                            .kept_blocks = 1024 * 1024};
  EXPECT_DOUBLE_EQ(UsefulFlops(large, Pass::kForward), 512.0 * 65536 * 65536 * 128 * 4);
  EXPECT_DOUBLE_EQ(MaterialisedBytes(large, 4), 512.0 * 65536 * 65536 * 16);
}

}  // namespace
}  // namespace spion
