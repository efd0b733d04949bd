#include "spion/kernels/block_sparse/packed_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace spion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Two blocks a side, by hand: the diagonal and (0, 1).
const BlockLines kRows{{0, 2, 3}, {0, 1, 1}};
const BlockLines kColumns{{0, 1, 3}, {0, 0, 1}};
// The diagonal alone.
const BlockLines kDiagonal{{0, 1, 2}, {0, 1}};

std::vector<int32_t> Values(const int32_t* first, int64_t count) { return {first, first + count}; }

TEST(PackedPatternTest, HoldsTwoPatternsOneAfterTheOther) {
  const PackedPattern packed =
      PackPattern(std::vector{kRows, kDiagonal}, std::vector{kColumns, kDiagonal}).value();
  EXPECT_EQ(packed.shape.patterns, 2);
  EXPECT_EQ(packed.shape.blocks_per_side, 2);
  EXPECT_EQ(packed.kept_blocks, 5);
  ASSERT_EQ(packed.values.size(), 12 * 4 + 2 * 6 + 2 * 5);

  const BlockPatternView view =
      ViewOfPacked(packed.values.data(), packed.values.size(), packed.shape).value();
  EXPECT_EQ(view.patterns, 2);
  EXPECT_EQ(view.blocks_per_side, 2);
  EXPECT_THAT(Values(view.row_offsets, 6), ElementsAre(0, 2, 3, 3, 4, 5));
  EXPECT_THAT(Values(view.column_offsets, 6), ElementsAre(0, 1, 3, 3, 4, 5));
  EXPECT_THAT(Values(view.row_columns, 5), ElementsAre(0, 1, 1, 0, 1));
  EXPECT_THAT(Values(view.column_rows, 5), ElementsAre(0, 0, 1, 0, 1));
  // The longest line comes first: row 0 keeps [0, 2), which begins with block 0.
  const BlockLine& first = view.schedule.rows[0];
  EXPECT_THAT((std::vector{first.line, first.begin, first.end, first.first}),
              ElementsAre(0, 0, 2, 0));
  // Of the second pattern's lines, row 1 or 0: one block, past those of the first pattern.
  EXPECT_GE(view.schedule.rows[2].begin, 3);
  EXPECT_GE(view.schedule.lines[4].begin, 3);
}

TEST(PackedPatternTest, APatternThatKeepsNothingHasNoIndices) {
  const BlockLines empty{{0, 0}, {}};
  const PackedPattern packed = PackPattern(std::vector{empty}, std::vector{empty}).value();
  EXPECT_EQ(packed.kept_blocks, 0);
  EXPECT_EQ(packed.values.size(), 12 + 4);
}

TEST(PackedPatternTest, HasRoomForAPowerOfTwo) {
  const PackedPattern packed =
      PackPattern(std::vector{kRows}, std::vector{kColumns}, PackedRoom::kPowerOfTwo).value();
  EXPECT_EQ(packed.kept_blocks, 3);
  ASSERT_EQ(packed.values.size(), 12 * 2 + 2 * 3 + 2 * 4);
  const BlockPatternView view =
      ViewOfPacked(packed.values.data(), packed.values.size(), packed.shape).value();
  EXPECT_THAT(Values(view.row_columns, 3), ElementsAre(0, 1, 1));
  EXPECT_THAT(Values(view.column_rows, 3), ElementsAre(0, 0, 1));
}

TEST(PackedPatternTest, RefusesNoneAndDifferentSizes) {
  EXPECT_THAT(PackPattern({}, {}).status().message(), HasSubstr("at least one pattern"));
  const BlockLines one{{0, 1}, {0}};
  EXPECT_THAT(PackPattern(std::vector{kRows, one}, std::vector{kColumns, one}).status().message(),
              HasSubstr("got 1 blocks a side beside 2"));
  EXPECT_THAT(PackPattern(std::vector{kRows}, std::vector{one}).status().message(),
              HasSubstr("got 1 blocks a side beside 2"));
  EXPECT_THAT(PackPattern(std::vector{BlockLines{}}, std::vector{one}).status().message(),
              HasSubstr("got -1 blocks a side"));
}

TEST(PackedPatternTest, RefusesRowsAndColumnsOfDifferentCounts) {
  EXPECT_THAT(PackPattern(std::vector{kRows}, {}).status().message(),
              HasSubstr("the columns of 0 patterns beside the rows of 1"));
  EXPECT_THAT(PackPattern(std::vector{kRows}, std::vector{kDiagonal}).status().message(),
              HasSubstr("columns keep 2 blocks and its rows 3"));
}

TEST(PackedPatternTest, RefusesValuesOfAnotherShape) {
  const PackedPattern packed = PackPattern(std::vector{kRows}, std::vector{kColumns}).value();
  const int64_t count = static_cast<int64_t>(packed.values.size());
  const auto refused = [&](int64_t values, PackedPatternShape shape) {
    return !ViewOfPacked(packed.values.data(), values, shape).ok();
  };
  EXPECT_FALSE(refused(count, packed.shape));
  EXPECT_TRUE(refused(count - 1, packed.shape));
  EXPECT_TRUE(refused(count, {.patterns = 0, .blocks_per_side = 2}));
  EXPECT_TRUE(refused(count, {.patterns = 1, .blocks_per_side = 3}));
  EXPECT_TRUE(refused(count, {.patterns = 1, .blocks_per_side = 2, .long_rows = 3}));
  EXPECT_TRUE(refused(count, {.patterns = 1, .blocks_per_side = 2, .long_lines = -1}));
  EXPECT_TRUE(refused(count, {.patterns = int64_t{1} << 40, .blocks_per_side = int64_t{1} << 40}));
}

}  // namespace
}  // namespace spion
