#include "spion/testing/pattern_zoo.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "spion/pattern/block_pattern.h"

namespace spion {
namespace {

TEST(PatternZooTest, RealPatternsHaveTheirKeptBlocks) {
  EXPECT_EQ(ImageCfLayer0().kept_blocks(), 53);
  EXPECT_EQ(ImageCfLayer1().kept_blocks(), 63);
  EXPECT_EQ(ImageCfLayer1().rows_of_column(31).size(), 31);
}

TEST(PatternZooTest, SyntheticPatternsAreWhatTheyAreNamed) {
  EXPECT_EQ(DiagonalOnly(5, 16).kept_blocks(), 5);
  EXPECT_EQ(AllBlocks(5, 16).kept_blocks(), 25);
  EXPECT_EQ(Banded(5, 16, 1).kept_blocks(), 13);
  EXPECT_EQ(LongColumns(8, 16).rows_of_column(7).size(), 7);
  EXPECT_EQ(FullAndBareRows(6, 16).columns_of_row(4).size(), 6);
  EXPECT_EQ(FullAndBareRows(6, 16).columns_of_row(5).size(), 1);
  EXPECT_EQ(ThreeBlocksARow(4, 16).kept_blocks(), 12);
  EXPECT_EQ(ThreeBlocksARow(9, 16).columns_of_row(8).size(), 3);
  EXPECT_EQ(LateDiagonals(16).kept_blocks(), 24 + 2 * 7 * 16);
  EXPECT_EQ(LateDiagonals(16).columns_of_row(17).back(), 17);
  EXPECT_EQ(LateDiagonals(16).rows_of_column(23).size(), 17);
  EXPECT_EQ(RandomBlocks(9, 16, 0.3, 1), RandomBlocks(9, 16, 0.3, 1));
  EXPECT_FALSE(RandomBlocks(9, 16, 0.3, 1) == RandomBlocks(9, 16, 0.3, 2));
}

TEST(PatternZooTest, EverySizeWorks) {
  for (const int n : {1, 2, 7}) {
    for (const NamedPattern& named : PatternZoo(n, 32, 3)) {
      EXPECT_EQ(named.pattern.length(), n * 32) << named.name;
    }
  }
}

TEST(PatternArraysTest, HeadsLieOneAfterTheOther) {
  const std::vector<BlockPattern> patterns = {DiagonalOnly(2, 16), AllBlocks(2, 16)};
  const PatternArrays arrays(patterns);
  const BlockPatternView view = arrays.view();
  EXPECT_EQ(view.patterns, 2);
  EXPECT_EQ(view.room, 6);
  EXPECT_EQ(std::vector<int32_t>(view.row_offsets, view.row_offsets + 6),
            (std::vector<int32_t>{0, 1, 2, 2, 4, 6}));
  EXPECT_EQ(std::vector<int32_t>(view.row_columns, view.row_columns + 6),
            (std::vector<int32_t>{0, 1, 0, 1, 0, 1}));
}

}  // namespace
}  // namespace spion
