#include "tools/method/svg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spion {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(SvgTest, IsAFileOfItsSize) {
  const std::string text = Svg(64, 32).Text();
  EXPECT_THAT(text, StartsWith("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"64\" "
                               "height=\"32\""));
  EXPECT_THAT(text, EndsWith("</svg>\n"));
}

TEST(SvgTest, NeighboursInARowAreOneFigure) {
  Svg svg(64, 64);
  svg.Squares({{{1, 0}, {0, 2}, {0, 1}, {0, 4}}}, {.x = 10, .y = 20, .side = 4}, "#456");
  EXPECT_THAT(svg.Text(),
              HasSubstr("<path fill=\"#456\" d=\"M14 20h8v4h-8zM26 20h4v4h-4zM10 24h4v4h-4z\"/>"));
}

TEST(SvgTest, AMoveGoesFromMiddleToMiddle) {
  Svg svg(64, 64);
  svg.Move({0, 1}, {1, 2}, {.x = 0, .y = 0, .side = 4}, "red");
  EXPECT_THAT(svg.Text(), HasSubstr("d=\"M6 2l4 4\""));
}

}  // namespace
}  // namespace spion
