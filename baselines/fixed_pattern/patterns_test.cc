#include "baselines/fixed_pattern/patterns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace spion {
namespace {

using ::testing::HasSubstr;

// A line a row, # for a kept block.
std::string Picture(const absl::StatusOr<BlockPattern>& pattern) {
  if (!pattern.ok()) return std::string(pattern.status().message());
  std::string picture = "\n";
  for (int row = 0; row < pattern->blocks_per_side(); ++row) {
    for (int column = 0; column < pattern->blocks_per_side(); ++column) {
      picture += pattern->contains(row, column) ? '#' : '.';
    }
    picture += '\n';
  }
  return picture;
}

TEST(LongformerPatternTest, IsAWindowAndGlobalBlocks) {
  EXPECT_EQ(Picture(LongformerPattern(112, {.block_size = 16, .window = 1, .global = 1})),
            R"(
#######
###....
####...
#.###..
#..###.
#...###
#....##
)");
  EXPECT_EQ(Picture(LongformerPattern(96, {.block_size = 16, .window = 2, .global = 0})),
            R"(
###...
####..
#####.
.#####
..####
...###
)");
}

TEST(BigBirdPatternTest, WithoutRandomBlocksIsAWindowAndTwoGlobalOnes) {
  EXPECT_EQ(Picture(BigBirdPattern(448, {.block_size = 64, .random = 0})),
            R"(
#######
###...#
####..#
#.###.#
#..####
#...###
#######
)");
}

TEST(BigBirdPatternTest, EveryOtherRowHasAsManyRandomBlocksMore) {
  const BlockPattern none = *BigBirdPattern(4096, {.random = 0});
  const BlockPattern drawn = *BigBirdPattern(4096, {.random = 3});
  for (int row = 1; row + 1 < none.blocks_per_side(); ++row) {
    EXPECT_EQ(drawn.columns_of_row(row).size(), none.columns_of_row(row).size() + 3) << row;
  }
  EXPECT_EQ(drawn.kept_blocks(), none.kept_blocks() + 3 * 62);
}

TEST(BigBirdPatternTest, TheSeedDecides) {
  EXPECT_TRUE(*BigBirdPattern(4096, {.seed = 7}) == *BigBirdPattern(4096, {.seed = 7}));
  EXPECT_FALSE(*BigBirdPattern(4096, {.seed = 7}) == *BigBirdPattern(4096, {.seed = 8}));
}

TEST(BigBirdPatternTest, RandomBlocksLieEverywhere) {
  const BlockPattern none = *BigBirdPattern(1024, {.random = 0});
  std::vector<uint8_t> drawn(16 * 16);
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const BlockPattern pattern = *BigBirdPattern(1024, {.random = 3, .seed = seed});
    for (const Block& block : pattern.blocks()) drawn[block.row * 16 + block.column] = 1;
  }
  EXPECT_EQ(std::count(drawn.begin(), drawn.end(), 1), 256);
}

TEST(BigBirdPatternTest, AShortSequenceKeepsAll) {
  EXPECT_EQ(BigBirdPattern(256, {.random = 3})->kept_blocks(), 16);
}

TEST(StridedPatternTest, IsALocalRunAndEveryStridethBlock) {
  EXPECT_EQ(Picture(StridedPattern(128, {.block_size = 16, .stride = 3})),
            R"(
####..#.
#####..#
######..
#######.
.#######
..######
#..#####
.#..####
)");
}

TEST(FixedPatternTest, IsItsRunAndTheLastBlockOfEveryRun) {
  EXPECT_EQ(Picture(FixedPattern(128, {.block_size = 16, .stride = 3})),
            R"(
###..#..
###..#..
###..#..
..####..
..####..
..####..
..#..###
..#..###
)");
}

TEST(SquareRootStrideTest, IsInWholeBlocks) {
  EXPECT_EQ(SquareRootStride(1024, 16), 2);
  EXPECT_EQ(SquareRootStride(2048, 16), 3);
  EXPECT_EQ(SquareRootStride(4096, 16), 4);
  EXPECT_EQ(SquareRootStride(64, 32), 1);
}

TEST(FixedPatternsTest, BadSizesAreNamed) {
  EXPECT_THAT(Picture(LongformerPattern(100, {})), HasSubstr("blocks of 16 do not divide"));
  for (const int shift : {23, 36, 40}) {  // as an int the second would be of 64 blocks
    EXPECT_THAT(Picture(LongformerPattern((int64_t{1} << shift) + 1024, {})),
                HasSubstr("blocks a side, expected 1 to 65536"));
    EXPECT_THAT(Picture(BigBirdPattern((int64_t{1} << shift) + 1024, {})),
                HasSubstr("blocks a side, expected 1 to 65536"));
  }
  EXPECT_THAT(Picture(LongformerPattern(0, {})), HasSubstr("length is at least 1; got 0"));
  EXPECT_THAT(Picture(LongformerPattern(64, {.window = -1})), HasSubstr("window"));
  EXPECT_THAT(Picture(LongformerPattern(64, {.global = -1})), HasSubstr("global"));
  EXPECT_THAT(Picture(BigBirdPattern(64, {.random = -2})), HasSubstr("random"));
  EXPECT_THAT(Picture(StridedPattern(64, {.stride = 0})), HasSubstr("stride is at least 1"));
  EXPECT_THAT(Picture(FixedPattern(64, {.stride = 0})), HasSubstr("stride is at least 1"));
}

}  // namespace
}  // namespace spion
