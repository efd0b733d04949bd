#include "spion/data/path_drawing.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace spion {
namespace {

constexpr int kPixel = kPathUnitsPerPixel;

constexpr int kHalfThickness = kPixel / 2;
constexpr int kDotRadius = kPixel * 3 / 2;

constexpr uint8_t kDashGrey = 200;
constexpr uint8_t kDotGrey = 255;

/// Whether the point is on the stroke that is drawn for a dash: its ends are flat, so that the gaps
/// show.
bool IsOnStroke(PathPoint point, const PathDash& dash) {
  const int along_x = dash.to.x - dash.from.x;
  const int along_y = dash.to.y - dash.from.y;
  const int x = point.x - dash.from.x;
  const int y = point.y - dash.from.y;
  const int length = along_x * along_x + along_y * along_y;
  const int along = x * along_x + y * along_y;
  const int64_t across = x * along_y - y * along_x;
  return along >= 0 && along <= length &&
         across * across <= int64_t{kHalfThickness} * kHalfThickness * length;
}

bool IsInDot(PathPoint point, PathPoint dot) {
  const int x = point.x - dot.x;
  const int y = point.y - dot.y;
  return x * x + y * y <= kDotRadius * kDotRadius;
}

/// The parts of a pixel, of 16, whose middle `covers` takes.
template <typename Covers>
int Coverage(int x, int y, const Covers& covers) {
  constexpr int kParts = 4;
  int covered = 0;
  for (int j = 0; j < kParts; ++j) {
    for (int i = 0; i < kParts; ++i) {
      const auto middle = [](int pixel, int part) {
        return pixel * kPixel + (2 * part + 1) * kPixel / (2 * kParts);
      };
      covered += covers(PathPoint{middle(x, i), middle(y, j)});
    }
  }
  return covered;
}

/// Draws a shape that lies within `reach` of the box from `from` to `to`. Where shapes meet, the
/// brighter one shows.
template <typename Covers>
void Draw(PathPoint from, PathPoint to, int reach, uint8_t grey, const Covers& covers,
          GreyPicture& picture) {
  const auto first = [&](int a, int b) { return std::max(0, (std::min(a, b) - reach) / kPixel); };
  const auto last = [&](int a, int b) {
    return std::min(kPictureSide - 1, (std::max(a, b) + reach) / kPixel);
  };
  for (int y = first(from.y, to.y); y <= last(from.y, to.y); ++y) {
    for (int x = first(from.x, to.x); x <= last(from.x, to.x); ++x) {
      uint8_t& pixel = picture.pixels[y * kPictureSide + x];
      pixel = std::max(pixel, static_cast<uint8_t>(grey * Coverage(x, y, covers) / 16));
    }
  }
}

}  // namespace

GreyPicture DrawPathScene(const PathScene& scene) {
  GreyPicture picture;
  picture.label = scene.label;
  picture.pixels.fill(0);
  for (const std::vector<PathDash>& path : scene.paths) {
    for (const PathDash& dash : path) {
      Draw(
          dash.from, dash.to, kHalfThickness, kDashGrey,
          [&](PathPoint point) { return IsOnStroke(point, dash); }, picture);
    }
  }
  for (PathPoint dot : scene.dots) {
    Draw(
        dot, dot, kDotRadius, kDotGrey, [&](PathPoint point) { return IsInDot(point, dot); },
        picture);
  }
  return picture;
}

}  // namespace spion
