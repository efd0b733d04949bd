#include "spion/data/path_drawing.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "spion/data/path_scene.h"
#include "spion/data/path_test_scenes.h"

namespace spion {
namespace {

constexpr int kScenes = 400;

/// Where a point lies beside a dash, in pixels: along it from its beginning, and across.
Place Beside(const PathDash& dash, Place point) {
  const Place from = InPixels(dash.from), to = InPixels(dash.to);
  const double length = Distance(from, to);
  const double x = (to.x - from.x) / length, y = (to.y - from.y) / length;
  const double dx = point.x - from.x, dy = point.y - from.y;
  return {dx * x + dy * y, std::abs(dx * y - dy * x)};
}

TEST(DrawPathSceneTest, ShowsDotsDashesAndGapsAndNothingElse) {
  // Half a pixel's diagonal: how far it reaches from its middle.
  constexpr double kReach = 0.71;
  int on_dashes = 0;
  for (const PathScene& scene : TestScenes(kScenes)) {
    const GreyPicture picture = DrawPathScene(scene);
    EXPECT_EQ(picture.label, scene.label);
    const std::vector<PathDash> dashes = AllDashes(scene);
    int white = 0;
    for (int y = 0; y < 32; ++y) {
      for (int x = 0; x < 32; ++x) {
        const Place middle = {x + 0.5, y + 0.5};
        bool off_dashes = true, on_a_dash = false;
        for (const PathDash& dash : dashes) {
          const auto [along, across] = Beside(dash, middle);
          // A dash is 1.5 pixels long and 1 pixel wide, with flat ends.
          off_dashes &= along < -kReach || along > 1.52 + kReach || across > 0.5 + kReach;
          on_a_dash |= along > 0.4 && along < 1.1 && across < 0.2;
        }
        double to_dot = 1e9;
        for (PathPoint dot : scene.dots) to_dot = std::min(to_dot, Distance(InPixels(dot), middle));
        const int pixel = picture.pixels[y * 32 + x];
        white += pixel == 255;
        if (to_dot < 1.5 - kReach) {
          ASSERT_EQ(pixel, 255) << x << ", " << y;
        }
        if (to_dot <= 1.5 + kReach) continue;
        ASSERT_LE(pixel, 200) << x << ", " << y;
        if (off_dashes) {
          ASSERT_EQ(pixel, 0) << x << ", " << y;
        }
        if (on_a_dash) {
          ASSERT_GE(pixel, 100) << x << ", " << y;
        }
        on_dashes += on_a_dash;
      }
    }
    // Two discs of radius 1.5 have the area of 14 pixels, some of which are on the rims.
    EXPECT_GE(white, 2);
    EXPECT_LE(white, 14);
  }
  EXPECT_GT(on_dashes, 4 * kScenes);
}

}  // namespace
}  // namespace spion
