#include "spion/pattern/draw.h"

#include "gtest/gtest.h"

namespace spion {
namespace {

BlockPattern Pattern(int n, absl::Span<const Block> blocks) {
  return BlockPattern::FromBlocks(n, 32, blocks).value();
}

TEST(DrawTest, ShowsTwoBlockRowsATextRow) {
  EXPECT_EQ(Draw(Pattern(4, {{0, 3}})),
            "▀▄·▀\n"
            "··▀▄\n");
}

TEST(DrawTest, ShowsBothHalvesAsAFullBlock) {
  EXPECT_EQ(Draw(Pattern(2, {{0, 1}, {1, 0}})), "██\n");
}

TEST(DrawTest, LeavesTheLowerHalfOfAnOddLastRowEmpty) {
  EXPECT_EQ(Draw(Pattern(3, {})),
            "▀▄·\n"
            "··▀\n");
  EXPECT_EQ(Draw(Pattern(1, {})), "▀\n");
}

TEST(DrawTest, ReducesALargePatternToTheWidth) {
  // 8 blocks to 4 cells of 2 x 2; (7, 0) alone lights the lower left cell.
  EXPECT_EQ(Draw(Pattern(8, {{7, 0}}), /*max_columns=*/4),
            "▀▄··\n"
            "▄·▀▄\n");
}

TEST(DrawTest, ReducesByAWholeFactorWhenTheWidthDoesNotDivide) {
  // 5 blocks in at most 4 columns: 2 x 2 blocks a cell, so 3 cells.
  EXPECT_EQ(Draw(Pattern(5, {{0, 4}}), /*max_columns=*/4),
            "▀▄▀\n"
            "··▀\n");
}

TEST(DrawTest, KeepsAPatternThatFitsExactly) {
  EXPECT_EQ(Draw(Pattern(2, {}), /*max_columns=*/2), "▀▄\n");
}

TEST(DrawTest, TakesAWidthBelowOneAsOne) {
  EXPECT_EQ(Draw(Pattern(6, {}), /*max_columns=*/0), "▀\n");
  EXPECT_EQ(Draw(Pattern(6, {}), /*max_columns=*/-5), "▀\n");
}

}  // namespace
}  // namespace spion
