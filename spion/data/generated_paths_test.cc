#include "spion/data/generated_paths.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "spion/base/random.h"
#include "spion/base/sha256.h"

namespace spion {
namespace {

using internal::DrawPathScene;
using internal::MakePathScene;
using internal::PathDash;
using internal::PathPoint;
using internal::PathScene;

constexpr int kScenes = 400;

/// Scenes of both labels.
std::vector<PathScene> Scenes() {
  std::vector<PathScene> scenes;
  for (int i = 0; i < kScenes; ++i) {
    Random random(DeriveSeed(77, i));
    scenes.push_back(MakePathScene(static_cast<uint8_t>(i % 2), random));
  }
  return scenes;
}

// The geometry below is in pixels and in double: nothing of it is the generator's own.

struct Place {
  double x, y;
};

Place InPixels(PathPoint point) {
  return {point.x / double{internal::kPathUnitsPerPixel},
          point.y / double{internal::kPathUnitsPerPixel}};
}

double Distance(Place a, Place b) { return std::hypot(a.x - b.x, a.y - b.y); }

/// The least distance of two dashes, by points along them.
double Distance(const PathDash& a, const PathDash& b) {
  constexpr int kPoints = 16;
  const auto along = [](const PathDash& dash, int i) {
    const Place from = InPixels(dash.from), to = InPixels(dash.to);
    const double part = i / double{kPoints};
    return Place{from.x + part * (to.x - from.x), from.y + part * (to.y - from.y)};
  };
  double least = 1e9;
  for (int i = 0; i <= kPoints; ++i) {
    for (int j = 0; j <= kPoints; ++j) {
      least = std::min(least, Distance(along(a, i), along(b, j)));
    }
  }
  return least;
}

std::vector<PathDash> AllDashes(const PathScene& scene) {
  std::vector<PathDash> all;
  for (const auto& path : scene.paths) all.insert(all.end(), path.begin(), path.end());
  return all;
}

std::string Digest(const GreyPictures& pictures) {
  std::string bytes;
  for (const GreyPicture& picture : pictures) {
    bytes.push_back(static_cast<char>(picture.label));
    bytes.append(picture.pixels.begin(), picture.pixels.end());
  }
  return Sha256OfBytes(bytes);
}

// A change of these bytes changes every result on generated pictures: it must be meant.
TEST(GeneratePathsTest, GivesTheSameBytesEverywhere) {
  EXPECT_EQ(Digest(GeneratePaths(1001, 200)),
            "460398af4b92fa73545dac1fe60033366e08f0c225db48791dfad88f1729953f");
}

TEST(GeneratePathsTest, GivesEachSeedItsOwnPictures) {
  EXPECT_NE(Digest(GeneratePaths(1, 20)), Digest(GeneratePaths(2, 20)));
}

TEST(GeneratePathsTest, HasBothLabelsInEachPair) {
  const GreyPictures pictures = GeneratePaths(4, 300);
  ASSERT_EQ(pictures.size(), 300u);
  int first_is_joined = 0;
  for (int i = 0; i < 300; i += 2) {
    EXPECT_EQ(pictures[i].label + pictures[i + 1].label, 1);
    first_is_joined += pictures[i].label;
  }
  EXPECT_GT(first_is_joined, 50);
  EXPECT_LT(first_is_joined, 100);
}

TEST(GeneratePathsTest, BeginsAnySizeWithTheSamePictures) {
  const GreyPictures few = GeneratePaths(5, 7);
  const GreyPictures many = GeneratePaths(5, 20);
  ASSERT_EQ(few.size(), 7u);
  for (size_t i = 0; i < few.size(); ++i) {
    EXPECT_EQ(few[i].label, many[i].label);
    EXPECT_EQ(few[i].pixels, many[i].pixels);
  }
}

TEST(GeneratePathsTest, GivesNoPictureTwiceAndNoneWhenAskedForNone) {
  const GreyPictures pictures = GeneratePaths(3, 200);
  for (size_t a = 0; a < pictures.size(); ++a) {
    for (size_t b = 0; b < a; ++b) ASSERT_NE(pictures[a].pixels, pictures[b].pixels);
  }
  EXPECT_TRUE(GeneratePaths(6, 0).empty());
}

TEST(PathSceneTest, HasTwoPathsOfFourteenDashesAndShortOnesBesides) {
  int short_paths = 0;
  for (const PathScene& scene : Scenes()) {
    ASSERT_GE(scene.paths.size(), 2u);
    ASSERT_LE(scene.paths.size(), 6u);
    for (size_t i = 0; i < scene.paths.size(); ++i) {
      EXPECT_EQ(scene.paths[i].size(), i < 2 ? 14u : 4u);
    }
    short_paths += static_cast<int>(scene.paths.size()) - 2;
  }
  EXPECT_GE(short_paths, 2 * kScenes) << "distractors are rare";
}

TEST(PathSceneTest, HasDashesOnePixelApartThatTurnGently) {
  bool turns_left = false, turns_right = false;
  for (const PathScene& scene : Scenes()) {
    for (const auto& path : scene.paths) {
      for (size_t i = 0; i < path.size(); ++i) {
        const Place from = InPixels(path[i].from), to = InPixels(path[i].to);
        EXPECT_NEAR(Distance(from, to), 1.5, 0.05);
        for (Place end : {from, to}) {
          EXPECT_GE(std::min(end.x, end.y), 2);
          EXPECT_LE(std::max(end.x, end.y), 30);
        }
        if (i == 0) continue;
        const Place before = InPixels(path[i - 1].from), joint = InPixels(path[i - 1].to);
        EXPECT_NEAR(Distance(joint, from), 1, 0.05);
        const double turn = std::remainder(std::atan2(to.y - from.y, to.x - from.x) -
                                               std::atan2(joint.y - before.y, joint.x - before.x),
                                           2 * M_PI);
        EXPECT_LE(std::abs(turn), 29 * M_PI / 180);
        turns_left |= turn < -0.3;
        turns_right |= turn > 0.3;
      }
    }
  }
  EXPECT_TRUE(turns_left && turns_right) << "paths are not curved";
}

TEST(PathSceneTest, KeepsApartWhatDoesNotBelongTogether) {
  for (const PathScene& scene : Scenes()) {
    for (size_t p = 0; p < scene.paths.size(); ++p) {
      for (size_t q = 0; q <= p; ++q) {
        for (size_t i = 0; i < scene.paths[p].size(); ++i) {
          for (size_t j = 0; j < scene.paths[q].size(); ++j) {
            if (p == q && (i > j ? i - j : j - i) < 2) continue;
            ASSERT_GE(Distance(scene.paths[p][i], scene.paths[q][j]), 2.99);
          }
        }
      }
    }
  }
}

/// The dots' label by what is drawn alone: dashes within 2 pixels of each other belong together;
/// a dot belongs to the dashes it touches. Fails where a dot touches nothing or two paths.
int Trace(const PathScene& scene) {
  const std::vector<PathDash> dashes = AllDashes(scene);
  std::vector<size_t> group(dashes.size());
  std::iota(group.begin(), group.end(), 0);
  for (size_t a = 0; a < dashes.size(); ++a) {
    for (size_t b = 0; b < a; ++b) {
      if (Distance(dashes[a], dashes[b]) >= 2) continue;
      const size_t from = group[a], to = group[b];
      std::replace(group.begin(), group.end(), from, to);
    }
  }
  std::array<size_t, 2> groups;
  for (int d = 0; d < 2; ++d) {
    std::vector<size_t> touched;
    for (size_t a = 0; a < dashes.size(); ++a) {
      if (Distance(dashes[a], {scene.dots[d], scene.dots[d]}) < 2) touched.push_back(group[a]);
    }
    EXPECT_FALSE(touched.empty());
    EXPECT_EQ(std::count(touched.begin(), touched.end(), touched.front()), touched.size());
    groups[d] = touched.front();
    EXPECT_EQ(std::count(group.begin(), group.end(), groups[d]), 14) << "not on a long path";
  }
  return groups[0] == groups[1] ? 1 : 0;
}

TEST(PathSceneTest, HasTheLabelThatATraceOfTheDashesFinds) {
  int joined = 0;
  for (const PathScene& scene : Scenes()) {
    ASSERT_EQ(Trace(scene), scene.label);
    joined += scene.label;
  }
  EXPECT_EQ(joined, kScenes / 2);
}

TEST(PathSceneTest, HasItsDotsOnEndsOfLongPathsClearOfTheRest) {
  for (const PathScene& scene : Scenes()) {
    for (PathPoint dot : scene.dots) {
      int ends_here = 0, near = 0;
      for (const auto& path : scene.paths) {
        for (const PathDash& dash : path) near += Distance(dash, {dot, dot}) < 3.99;
        if (path.size() != 14) continue;
        ends_here += Distance(InPixels(path.front().from), InPixels(dot)) == 0;
        ends_here += Distance(InPixels(path.back().to), InPixels(dot)) == 0;
      }
      EXPECT_EQ(ends_here, 1);
      EXPECT_LE(near, 2) << "an end's own dash and the one behind it";
    }
    EXPECT_GT(Distance(InPixels(scene.dots[0]), InPixels(scene.dots[1])), 3.9);
  }
}

// The two labels by the dots' distance alone, at the best threshold: not far above one half.
TEST(PathSceneTest, IsNotToldByTheDistanceOfTheDots) {
  std::array<std::array<int, 64>, 2> counts{};
  for (int i = 0; i < 2000; ++i) {
    Random random(DeriveSeed(78, i));
    const PathScene scene = MakePathScene(static_cast<uint8_t>(i % 2), random);
    ++counts[i % 2][static_cast<int>(Distance(InPixels(scene.dots[0]), InPixels(scene.dots[1])))];
  }
  int best = 0, below = 0;
  for (int d = 0; d < 64; ++d) {
    below += counts[1][d] - counts[0][d];
    best = std::max(best, std::abs(below));
  }
  EXPECT_LE(0.5 + best / 2000.0, 0.62);
}

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
  for (const PathScene& scene : Scenes()) {
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
