#include "spion/data/path_scene.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "gtest/gtest.h"
#include "spion/base/random.h"
#include "spion/data/path_test_scenes.h"

namespace spion {
namespace {

constexpr int kScenes = 200;

TEST(MakePathSceneTest, HasTwoPathsOfFourteenDashesAndShortOnesBesides) {
  int short_paths = 0;
  for (const PathScene& scene : TestScenes(kScenes)) {
    ASSERT_GE(scene.paths.size(), 2u);
    ASSERT_LE(scene.paths.size(), 7u);
    for (size_t i = 0; i < scene.paths.size(); ++i) {
      EXPECT_EQ(scene.paths[i].size(), i < 2 ? 14u : 4u);
    }
    short_paths += static_cast<int>(scene.paths.size()) - 2;
  }
  EXPECT_GE(short_paths, 5 * kScenes / 2) << "distractors are rare";
}

TEST(MakePathSceneTest, BeginsBothLongPathsInTheMiddle) {
  for (const PathScene& scene : TestScenes(kScenes)) {
    const Place a = InPixels(scene.paths[0].front().from),
                b = InPixels(scene.paths[1].front().from);
    EXPECT_NEAR(Distance(a, b), 7, 0.1);
    for (double place : {a.x, a.y}) {
      EXPECT_GE(place, 14);
      EXPECT_LE(place, 18);
    }
  }
}

TEST(MakePathSceneTest, HasDashesOnePixelApartThatTurn) {
  int turns = 0, left = 0, sharp = 0;
  for (const PathScene& scene : TestScenes(kScenes)) {
    for (const auto& path : scene.paths) {
      for (size_t i = 0; i < path.size(); ++i) {
        const Place from = InPixels(path[i].from), to = InPixels(path[i].to);
        EXPECT_NEAR(Distance(from, to), 1.5, 0.05);
        for (Place end : {from, to}) {
          EXPECT_GE(std::min(end.x, end.y), 1.5);
          EXPECT_LE(std::max(end.x, end.y), 30.5);
        }
        if (i == 0) continue;
        const Place before = InPixels(path[i - 1].from), joint = InPixels(path[i - 1].to);
        EXPECT_NEAR(Distance(joint, from), 1, 0.05);
        const double turn = std::remainder(std::atan2(to.y - from.y, to.x - from.x) -
                                               std::atan2(joint.y - before.y, joint.x - before.x),
                                           2 * M_PI);
        EXPECT_LE(std::abs(turn), M_PI / 2);
        ++turns;
        left += turn < -0.02;
        sharp += std::abs(turn) > M_PI / 4;
      }
    }
  }
  EXPECT_NEAR(left / double(turns), (1 - 1 / 16.0) / 2, 0.02);
  // A square of the cosine has 18 % of its mass beyond 45 degrees; borders and neighbours force
  // some more.
  EXPECT_GT(sharp, turns * 15 / 100);
  EXPECT_LT(sharp, turns * 28 / 100);
}

TEST(MakePathSceneTest, KeepsApartWhatDoesNotBelongTogether) {
  for (const PathScene& scene : TestScenes(kScenes)) {
    for (size_t p = 0; p < scene.paths.size(); ++p) {
      for (size_t q = 0; q <= p; ++q) {
        for (size_t i = 0; i < scene.paths[p].size(); ++i) {
          for (size_t j = 0; j < scene.paths[q].size(); ++j) {
            if (p == q && (i > j ? i - j : j - i) < 2) continue;
            ASSERT_GE(Distance(scene.paths[p][i], scene.paths[q][j]), 2.49);
          }
        }
      }
    }
  }
}

/// The dots' label by what is drawn alone: dashes within 1.75 pixels of each other belong together;
/// a dot belongs to the dashes it touches. Fails where a dot touches nothing or two paths.
int Trace(const PathScene& scene) {
  constexpr double kNear = 1.75;
  const std::vector<PathDash> dashes = AllDashes(scene);
  std::vector<size_t> group(dashes.size());
  std::iota(group.begin(), group.end(), 0);
  for (size_t a = 0; a < dashes.size(); ++a) {
    for (size_t b = 0; b < a; ++b) {
      if (Distance(dashes[a], dashes[b]) >= kNear) continue;
      const size_t from = group[a], to = group[b];
      std::replace(group.begin(), group.end(), from, to);
    }
  }
  std::array<size_t, 2> groups;
  for (int d = 0; d < 2; ++d) {
    std::vector<size_t> touched;
    for (size_t a = 0; a < dashes.size(); ++a) {
      if (Distance(dashes[a], {scene.dots[d], scene.dots[d]}) < kNear) touched.push_back(group[a]);
    }
    EXPECT_FALSE(touched.empty());
    EXPECT_EQ(std::count(touched.begin(), touched.end(), touched.front()), touched.size());
    groups[d] = touched.front();
    EXPECT_EQ(std::count(group.begin(), group.end(), groups[d]), 14) << "not on a long path";
  }
  return groups[0] == groups[1] ? 1 : 0;
}

TEST(MakePathSceneTest, HasTheLabelThatATraceOfTheDashesFinds) {
  int joined = 0;
  for (const PathScene& scene : TestScenes(kScenes)) {
    ASSERT_EQ(Trace(scene), scene.label);
    joined += scene.label;
  }
  EXPECT_EQ(joined, kScenes / 2);
}

TEST(MakePathSceneTest, HasADotOnABeginningAndOneOnAnEnd) {
  for (const PathScene& scene : TestScenes(kScenes)) {
    int beginnings = 0, ends = 0;
    for (size_t path : {0, 1}) {
      beginnings += Distance(scene.dots[0], scene.paths[path].front().from) == 0;
      ends += Distance(scene.dots[1], scene.paths[path].back().to) == 0;
    }
    EXPECT_EQ(beginnings, 1);
    EXPECT_EQ(ends, 1);
    EXPECT_GE(Distance(scene.dots[0], scene.dots[1]), 3.99);
  }
}

// All that may tell beside the dots: how many dashes and paths there are, where, and how they turn.
TEST(MakePathSceneTest, DrawsTheSamePathsWhateverTheLabel) {
  const auto places = [](const PathScene& scene) {
    std::vector<int> places;
    for (const auto& path : scene.paths) {
      for (const PathDash& dash : path) {
        places.insert(places.end(), {dash.from.x, dash.from.y, dash.to.x, dash.to.y});
      }
    }
    return places;
  };
  for (int i = 0; i < kScenes; ++i) {
    Random first(i), second(i);
    ASSERT_EQ(places(MakePathScene(0, first)), places(MakePathScene(1, second)));
  }
}

/// How often the two labels are told right by a distance, at the best threshold.
template <typename DistanceOf>
double ToldBy(const std::vector<PathScene>& scenes, const DistanceOf& distance_of) {
  std::array<int, 64> joined_less_apart{};
  for (const PathScene& scene : scenes) {
    joined_less_apart[static_cast<int>(distance_of(scene))] += scene.label == 1 ? 1 : -1;
  }
  int best = 0, below = 0;
  for (int count : joined_less_apart) {
    below += count;
    best = std::max(best, std::abs(below));
  }
  return 0.5 + best / double(scenes.size());
}

/// Where the path of a dot has come to after some dashes. Without dashes, the dot.
PathPoint Follow(const PathScene& scene, size_t dot, size_t dashes) {
  for (size_t p : {0, 1}) {
    const auto& path = scene.paths[p];
    if (dot == 0 && Distance(scene.dots[0], path.front().from) == 0) return path[dashes].from;
    if (dot == 1 && Distance(scene.dots[1], path.back().to) == 0) return path[13 - dashes].to;
  }
  ADD_FAILURE() << "a dot is not on an end";
  return scene.dots[dot];
}

// What makes the task one about paths, and one that can be learnt bit by bit: the dots' distance
// tells nothing, that of the places three dashes into both paths something, of five dashes nearly
// all.
TEST(MakePathSceneTest, IsToldByThePathsAloneTheMoreOfThemTheSurer) {
  const std::vector<PathScene> scenes = TestScenes(10000);
  const auto told_after = [&](size_t dashes) {
    return ToldBy(scenes, [&](const PathScene& scene) {
      return Distance(Follow(scene, 0, dashes), Follow(scene, 1, dashes));
    });
  };
  EXPECT_LE(told_after(0), 0.53);
  EXPECT_GE(told_after(3), 0.65);
  EXPECT_LE(told_after(3), 0.8);
  EXPECT_GE(told_after(5), 0.93);
}

}  // namespace
}  // namespace spion
