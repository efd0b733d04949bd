// For the tests of path_scene.h and path_drawing.h: scenes, and their geometry in pixels and in
// double, nothing of which is the generator's own.
#ifndef SPION_DATA_PATH_TEST_SCENES_H_
#define SPION_DATA_PATH_TEST_SCENES_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "spion/base/random.h"
#include "spion/data/path_scene.h"

namespace spion {

/// `count` scenes, of both labels in turn.
inline std::vector<PathScene> TestScenes(int count) {
  std::vector<PathScene> scenes;
  for (int i = 0; i < count; ++i) {
    Random random(DeriveSeed(77, i));
    scenes.push_back(MakePathScene(static_cast<uint8_t>(i % 2), random));
  }
  return scenes;
}

struct Place {
  double x, y;
};

inline Place InPixels(PathPoint point) {
  return {point.x / double{kPathUnitsPerPixel}, point.y / double{kPathUnitsPerPixel}};
}

inline double Distance(Place a, Place b) { return std::hypot(a.x - b.x, a.y - b.y); }

inline double Distance(PathPoint a, PathPoint b) { return Distance(InPixels(a), InPixels(b)); }

/// The least distance of two dashes, by points along them.
inline double Distance(const PathDash& a, const PathDash& b) {
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

inline std::vector<PathDash> AllDashes(const PathScene& scene) {
  std::vector<PathDash> all;
  for (const auto& path : scene.paths) all.insert(all.end(), path.begin(), path.end());
  return all;
}

}  // namespace spion

#endif  // SPION_DATA_PATH_TEST_SCENES_H_
