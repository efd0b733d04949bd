#include "spion/pattern/block_pattern.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spion/base/random.h"

namespace spion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

void ExpectInvalid(const absl::StatusOr<BlockPattern>& result, const char* part) {
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument) << result.status();
  EXPECT_THAT(result.status().message(), HasSubstr(part));
}

TEST(BlockPatternTest, OffersRowsAndColumnsOfAHandMadePattern) {
  // x x . .
  // . x . .
  // x . x x
  // . . . x
  const BlockPattern p = BlockPattern::FromBlocks(4, 32, {{2, 3}, {0, 1}, {2, 0}}).value();
  EXPECT_EQ(p.blocks_per_side(), 4);
  EXPECT_EQ(p.block_size(), 32);
  EXPECT_EQ(p.length(), 128);
  EXPECT_EQ(p.total_blocks(), 16);
  EXPECT_EQ(p.kept_blocks(), 7);
  EXPECT_THAT(p.rows().offsets, ElementsAre(0, 2, 3, 6, 7));
  EXPECT_THAT(p.rows().indices, ElementsAre(0, 1, 1, 0, 2, 3, 3));
  EXPECT_THAT(p.columns().offsets, ElementsAre(0, 2, 4, 5, 7));
  EXPECT_THAT(p.columns().indices, ElementsAre(0, 2, 0, 1, 2, 2, 3));
  EXPECT_THAT(p.columns_of_row(2), ElementsAre(0, 2, 3));
  EXPECT_THAT(p.rows_of_column(3), ElementsAre(2, 3));
  EXPECT_THAT(p.mask(), ElementsAre(1, 1, 0, 0,  //
                                    0, 1, 0, 0,  //
                                    1, 0, 1, 1,  //
                                    0, 0, 0, 1));
  EXPECT_THAT(p.blocks(), ElementsAre(Block{0, 0}, Block{0, 1}, Block{1, 1}, Block{2, 0},
                                      Block{2, 2}, Block{2, 3}, Block{3, 3}));
  EXPECT_TRUE(p.contains(2, 0));
  EXPECT_FALSE(p.contains(0, 2));
}

TEST(BlockPatternTest, KeepsTheDiagonalWhenNoBlockIsGiven) {
  const BlockPattern p = BlockPattern::FromBlocks(3, 16, {}).value();
  EXPECT_THAT(p.mask(), ElementsAre(1, 0, 0, 0, 1, 0, 0, 0, 1));
  EXPECT_EQ(p, BlockPattern::FromMask(3, 16, std::vector<uint8_t>(9, 0)).value());
}

TEST(BlockPatternTest, TakesRepeatedBlocksAndTheDiagonalOnce) {
  const BlockPattern p = BlockPattern::FromBlocks(2, 8, {{1, 0}, {0, 0}, {1, 0}}).value();
  EXPECT_EQ(p.kept_blocks(), 3);
  EXPECT_THAT(p.columns_of_row(1), ElementsAre(0, 1));
}

TEST(BlockPatternTest, TakesAnyNonZeroFlagAsKept) {
  const BlockPattern p = BlockPattern::FromMask(2, 8, {0, 255, 0, 0}).value();
  EXPECT_THAT(p.mask(), ElementsAre(1, 1, 0, 1));
}

TEST(BlockPatternTest, HoldsASingleBlock) {
  const BlockPattern p = BlockPattern::FromBlocks(1, 1, {}).value();
  EXPECT_EQ(p.kept_blocks(), 1);
  EXPECT_EQ(p.length(), 1);
}

TEST(BlockPatternTest, HoldsTheLargestSideCheaply) {
  const BlockPattern p = BlockPattern::FromBlocks(65536, 64, {{65535, 0}}).value();
  EXPECT_EQ(p.kept_blocks(), 65537);
  EXPECT_EQ(p.length(), int64_t{65536} * 64);
  EXPECT_EQ(p.total_blocks(), int64_t{65536} * 65536);
  EXPECT_THAT(p.rows_of_column(0), ElementsAre(0, 65535));
}

TEST(BlockPatternTest, EqualMeansSameSizesAndSameBlocks) {
  const BlockPattern p = BlockPattern::FromBlocks(3, 16, {{0, 1}}).value();
  EXPECT_EQ(p, BlockPattern::FromBlocks(3, 16, {{0, 1}, {1, 1}}).value());
  EXPECT_NE(p, BlockPattern::FromBlocks(3, 32, {{0, 1}}).value());
  EXPECT_NE(p, BlockPattern::FromBlocks(4, 16, {{0, 1}}).value());
  EXPECT_NE(p, BlockPattern::FromBlocks(3, 16, {{0, 2}}).value());
  EXPECT_NE(p, BlockPattern::FromBlocks(3, 16, {{1, 0}}).value());
}

TEST(BlockPatternTest, RowAndColumnViewsAgreeOnRandomPatterns) {
  for (const int n : {1, 2, 7, 19, 64}) {
    SCOPED_TRACE(n);
    Random random(/*seed=*/n);
    std::vector<uint8_t> mask(n * n);
    for (uint8_t& flag : mask) flag = random.Below(4) == 0;
    for (int i = 0; i < n; ++i) mask[i * n + i] = 1;
    const BlockPattern p = BlockPattern::FromMask(n, 32, mask).value();
    EXPECT_EQ(p.mask(), mask);
    EXPECT_EQ(p, BlockPattern::FromBlocks(n, 32, p.blocks()).value());
    EXPECT_EQ(p.rows().indices.size(), p.columns().indices.size());
    for (int row = 0; row < n; ++row) {
      EXPECT_TRUE(std::is_sorted(p.columns_of_row(row).begin(), p.columns_of_row(row).end()));
      EXPECT_TRUE(std::is_sorted(p.rows_of_column(row).begin(), p.rows_of_column(row).end()));
      for (int column = 0; column < n; ++column) {
        const bool kept = mask[row * n + column] != 0;
        EXPECT_EQ(p.contains(row, column), kept);
        const absl::Span<const int32_t> rows = p.rows_of_column(column);
        EXPECT_EQ(std::count(rows.begin(), rows.end(), row), kept ? 1 : 0);
      }
    }
  }
}

TEST(BlockPatternTest, RefusesSizesOutOfRange) {
  ExpectInvalid(BlockPattern::FromBlocks(0, 32, {}), "0 blocks a side");
  ExpectInvalid(BlockPattern::FromBlocks(-3, 32, {}), "-3 blocks a side");
  ExpectInvalid(BlockPattern::FromBlocks(65537, 32, {}), "65537 blocks a side");
  ExpectInvalid(BlockPattern::FromBlocks(4, 0, {}), "block size 0");
  ExpectInvalid(BlockPattern::FromMask(0, 32, {}), "0 blocks a side");
  ExpectInvalid(BlockPattern::FromMask(1, -1, {1}), "block size -1");
}

TEST(BlockPatternTest, RefusesBlocksOutside) {
  ExpectInvalid(BlockPattern::FromBlocks(4, 32, {{0, 4}}), "(0, 4)");
  ExpectInvalid(BlockPattern::FromBlocks(4, 32, {{4, 0}}), "(4, 0)");
  ExpectInvalid(BlockPattern::FromBlocks(4, 32, {{0, 0}, {-1, 0}}), "(-1, 0)");
  ExpectInvalid(BlockPattern::FromBlocks(4, 32, {{0, -1}}), "(0, -1)");
}

TEST(BlockPatternTest, RefusesAMaskOfAnotherSize) {
  ExpectInvalid(BlockPattern::FromMask(2, 32, {1, 0, 1}), "3 entries, expected 4");
  ExpectInvalid(BlockPattern::FromMask(2, 32, {1, 0, 1, 0, 1}), "5 entries, expected 4");
}

}  // namespace
}  // namespace spion
