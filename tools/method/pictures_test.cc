#include "tools/method/pictures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_split.h"

namespace spion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// How many lines have `part`.
int Count(const std::string& text, absl::string_view part) {
  int count = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (line.find(part) != absl::string_view::npos) ++count;
  }
  return count;
}

TEST(PicturesTest, MuchIsBlackAndNoneIsWhite) {
  // Half-way between the two quantiles, which of so few scores are the ends, is half as dark.
  std::vector<double> scores(400, 1.0);
  scores[0] = scores[1] = scores[2] = 3.0;
  for (int i = 10; i < 20; ++i) scores[i] = -1.0;
  const GreyImage image = DrawScores({20, scores}).value();
  EXPECT_EQ(image.width, 20);
  EXPECT_EQ(image.pixels[0], 0);
  EXPECT_EQ(image.pixels[5], 128);
  EXPECT_EQ(image.pixels[15], 255);
}

TEST(PicturesTest, WhatIsEvenIsWhite) {
  EXPECT_THAT(DrawScores({1, {0.5}})->pixels, ElementsAre(255));
}

TEST(PicturesTest, FloodFillShowsItsMovesWithinTheMapAndWhatItMarks) {
  const std::string text = DrawFloodFill({2,
                                          {0, 1,  //
                                           3, 2}},
                                         0)
                               .value();
  EXPECT_EQ(Count(text, "stroke=\"#26a\""), 3);  // the fourth leaves the map
  EXPECT_THAT(text, HasSubstr("<path fill=\"#d60\" d=\"M1 193h384v192h-384z\"/>"));
}

TEST(PicturesTest, ThePatternShowsItsDiagonalApart) {
  const BlockPattern pattern = BlockPattern::FromBlocks(2, 16, {{{1, 0}}}).value();
  const std::string text = DrawKept(pattern);
  EXPECT_THAT(text, HasSubstr("fill=\"#9ab\" d=\"M1 1h192v192h-192zM193 193h192v192h-192z\""));
  EXPECT_THAT(text, HasSubstr("fill=\"#345\" d=\"M1 193h192v192h-192z\""));
}

TEST(PicturesTest, TheFullestRowMeetsItsKeysAndValues) {
  const BlockPattern pattern = BlockPattern::FromBlocks(4, 16, {{{2, 0}}}).value();
  // Row 2 keeps two blocks: as many keys and as many values.
  EXPECT_EQ(Count(DrawSparseRow(pattern), "fill=\"#26a\""), 4);
}

}  // namespace
}  // namespace spion
