#include "spion/data/generated_paths.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <optional>

#include "absl/types/span.h"

namespace spion {
namespace {

using internal::PathDash;
using internal::PathPoint;

constexpr int kPixel = internal::kPathUnitsPerPixel;

constexpr size_t kLongPaths = 2;
constexpr int kLongPathDashes = 14;
constexpr int kShortPathDashes = 4;
constexpr int kMostShortPaths = 4;

constexpr int kDash = kPixel * 3 / 2;
constexpr int kGap = kPixel;
constexpr int kHalfThickness = kPixel / 2;
constexpr int kDotRadius = kPixel * 3 / 2;
// Between the middle lines of dashes that do not follow each other. The gap within a path is 1
// pixel, so a path can be told from its neighbours.
constexpr int64_t kClearance = 3 * kPixel;
// Between an end of a long path, where a dot may lie, and other paths.
constexpr int64_t kEndClearance = 4 * kPixel;
// Room for a dot at the border.
constexpr int kBorder = 2 * kPixel;

// A circle has 64 directions.
constexpr int kDirections = 64;
// From one dash to the next, 5 / 64 of a circle at most.
constexpr int kMostTurn = 5;

// Chosen by the time they take. A dash that finds no room is given up with some dashes before it, a
// path after some such steps back, a picture after some paths.
constexpr int kTurnTrials = 6;
constexpr int kDashesBack = 3;
constexpr int kStepsBack = 12;
constexpr int kLongPathTrials = 20;
constexpr int kShortPathTrials = 4;

constexpr uint8_t kDashGrey = 200;
constexpr uint8_t kDotGrey = 255;

// The cosine's first quarter, in 256ths.
constexpr std::array<int, kDirections / 4 + 1> kCosines = {
    256, 255, 251, 245, 237, 226, 213, 198, 181, 162, 142, 121, 98, 74, 50, 25, 0};

int Cosine(int direction) {
  const int quarter = kDirections / 4;
  const int at = ((direction % kDirections) + kDirections) % kDirections;
  if (at <= quarter) return kCosines[at];
  if (at <= 2 * quarter) return -kCosines[2 * quarter - at];
  if (at <= 3 * quarter) return -kCosines[at - 2 * quarter];
  return kCosines[4 * quarter - at];
}

PathPoint Ahead(PathPoint point, int direction, int distance) {
  const auto part = [&](int cosine) { return distance * cosine / 256; };
  return {point.x + part(Cosine(direction)), point.y + part(Cosine(direction - kDirections / 4))};
}

bool InPicture(PathPoint point) {
  const auto inside = [](int place) {
    return place >= kBorder && place <= kPictureSide * kPixel - kBorder;
  };
  return inside(point.x) && inside(point.y);
}

int64_t SquaredDistance(PathPoint a, PathPoint b) {
  const int64_t x = a.x - b.x;
  const int64_t y = a.y - b.y;
  return x * x + y * y;
}

/// Whether the point is at most `distance` away from the dash's middle line.
bool IsNear(PathPoint point, const PathDash& dash, int64_t distance) {
  const int64_t along_x = dash.to.x - dash.from.x;
  const int64_t along_y = dash.to.y - dash.from.y;
  const int64_t x = point.x - dash.from.x;
  const int64_t y = point.y - dash.from.y;
  const int64_t length = along_x * along_x + along_y * along_y;
  const int64_t dot = x * along_x + y * along_y;
  if (dot <= 0) return x * x + y * y <= distance * distance;
  if (dot >= length) return SquaredDistance(point, dash.to) <= distance * distance;
  const int64_t cross = x * along_y - y * along_x;
  return cross * cross <= distance * distance * length;
}

/// Whether the point is on the stroke that is drawn for a dash: its ends are flat, so that the gaps
/// show.
bool IsOnStroke(PathPoint point, const PathDash& dash) {
  const int64_t along_x = dash.to.x - dash.from.x;
  const int64_t along_y = dash.to.y - dash.from.y;
  const int64_t x = point.x - dash.from.x;
  const int64_t y = point.y - dash.from.y;
  const int64_t dot = x * along_x + y * along_y;
  return dot >= 0 && dot <= along_x * along_x + along_y * along_y &&
         IsNear(point, dash, kHalfThickness);
}

/// Whether two dashes come as near as that, which must not be less than a dash's length: then one
/// of the four ends does, even where dashes cross.
bool AreNear(const PathDash& a, const PathDash& b, int64_t distance) {
  // Most pairs are too far apart by their beginnings alone.
  const int64_t reach = distance + 2 * kDash + kPixel;
  if (SquaredDistance(a.from, b.from) > reach * reach) return false;
  return IsNear(a.from, b, distance) || IsNear(a.to, b, distance) || IsNear(b.from, a, distance) ||
         IsNear(b.to, a, distance);
}
static_assert(kClearance >= kDash);

using Path = std::vector<PathDash>;

/// The two ends of a path, where dots lie.
std::array<PathPoint, 2> Ends(const Path& path) { return {path.front().from, path.back().to}; }

/// Whether a new dash keeps away from the paths there are, and from the ends of the long ones.
bool KeepsAway(const PathDash& dash, absl::Span<const Path> others) {
  for (const Path& other : others) {
    for (const PathDash& theirs : other) {
      if (AreNear(dash, theirs, kClearance)) return false;
    }
    if (other.size() < kLongPathDashes) continue;
    for (PathPoint end : Ends(other)) {
      if (IsNear(end, dash, kEndClearance)) return false;
    }
  }
  return true;
}

/// Whether the ends of a path, where dots may lie, are clear of the other paths and of the path's
/// own other dashes.
bool EndsAreClear(const Path& path, absl::Span<const Path> others) {
  const auto is_clear = [&](PathPoint end, const PathDash& dash) {
    return !IsNear(end, dash, kEndClearance);
  };
  const auto [first, last] = Ends(path);
  for (const Path& other : others) {
    for (const PathDash& dash : other) {
      if (!is_clear(first, dash) || !is_clear(last, dash)) return false;
    }
  }
  // An end's own dash and the one behind it are near by nature.
  for (size_t i = 2; i < path.size(); ++i) {
    if (!is_clear(first, path[i]) || !is_clear(last, path[path.size() - 1 - i])) return false;
  }
  return true;
}

int Between(Random& random, int low, int high) {
  return static_cast<int>(random.Between(low, high));
}

/// A dash and which of the 64 directions it has.
struct Step {
  PathDash dash;
  int direction;
};

Step FirstStep(Random& random) {
  const PathPoint from = {Between(random, kBorder, kPictureSide * kPixel - kBorder),
                          Between(random, kBorder, kPictureSide * kPixel - kBorder)};
  const int direction = Between(random, 0, kDirections - 1);
  return {{from, Ahead(from, direction, kDash)}, direction};
}

Step StepAfter(const Step& last, Random& random) {
  const PathPoint from = Ahead(last.dash.to, last.direction, kGap);
  const int direction = last.direction + Between(random, -kMostTurn, kMostTurn);
  return {{from, Ahead(from, direction, kDash)}, direction};
}

/// Whether there is room for `dash` behind the path's steps.
bool HasRoom(const PathDash& dash, absl::Span<const Step> path, absl::Span<const Path> others) {
  if (!InPicture(dash.from) || !InPicture(dash.to)) return false;
  // The last dash is one gap away.
  const bool meets_its_path =
      !path.empty() && std::any_of(path.begin(), path.end() - 1, [&](const Step& step) {
        return AreNear(dash, step.dash, kClearance);
      });
  return !meets_its_path && KeepsAway(dash, others);
}

/// Adds a step to the path, if one is found that has room.
bool AddStep(std::vector<Step>& path, absl::Span<const Path> others, Random& random) {
  for (int trial = 0; trial < kTurnTrials; ++trial) {
    const Step step = path.empty() ? FirstStep(random) : StepAfter(path.back(), random);
    if (!HasRoom(step.dash, path, others)) continue;
    path.push_back(step);
    return true;
  }
  return false;
}

std::optional<Path> GrowPath(int dashes, absl::Span<const Path> others, Random& random) {
  std::vector<Step> steps;
  int steps_back = 0;
  while (static_cast<int>(steps.size()) < dashes) {
    if (AddStep(steps, others, random)) continue;
    if (++steps_back > kStepsBack) return std::nullopt;
    steps.resize(std::max<int>(0, static_cast<int>(steps.size()) - kDashesBack));
  }
  Path path;
  for (const Step& step : steps) path.push_back(step.dash);
  return path;
}

/// Adds a path of 14 dashes, if one is found within some trials.
bool AddLongPath(std::vector<Path>& paths, Random& random) {
  for (int trial = 0; trial < kLongPathTrials; ++trial) {
    std::optional<Path> path = GrowPath(kLongPathDashes, paths, random);
    if (!path.has_value() || !EndsAreClear(*path, paths)) continue;
    paths.push_back(*std::move(path));
    return true;
  }
  return false;
}

void AddShortPaths(std::vector<Path>& paths, Random& random) {
  for (int i = 0; i < kMostShortPaths; ++i) {
    for (int trial = 0; trial < kShortPathTrials; ++trial) {
      std::optional<Path> path = GrowPath(kShortPathDashes, paths, random);
      if (!path.has_value()) continue;
      paths.push_back(*std::move(path));
      break;
    }
  }
}

/// An end of each long path, their distance as near as can be to that of the first one's ends.
std::array<PathPoint, 2> EndsOfTwoPaths(const Path& first, const Path& second) {
  const auto [a, b] = Ends(first);
  const int64_t wanted = SquaredDistance(a, b);
  std::array<PathPoint, 2> best = {};
  int64_t best_difference = -1;
  for (PathPoint here : Ends(first)) {
    for (PathPoint there : Ends(second)) {
      const int64_t difference = std::abs(SquaredDistance(here, there) - wanted);
      if (best_difference >= 0 && difference >= best_difference) continue;
      best = {here, there};
      best_difference = difference;
    }
  }
  return best;
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

namespace internal {

PathScene MakePathScene(uint8_t label, Random& random) {
  PathScene scene;
  scene.label = label;
  // Where the first path leaves no room for a second one, begin again.
  while (scene.paths.size() < kLongPaths) {
    if (!AddLongPath(scene.paths, random)) scene.paths.clear();
  }
  AddShortPaths(scene.paths, random);
  scene.dots = label == 1 ? Ends(scene.paths[0]) : EndsOfTwoPaths(scene.paths[0], scene.paths[1]);
  return scene;
}

GreyPicture DrawPathScene(const PathScene& scene) {
  GreyPicture picture;
  picture.label = scene.label;
  picture.pixels.fill(0);
  for (const Path& path : scene.paths) {
    for (const PathDash& dash : path) {
      Draw(
          dash.from, dash.to, kHalfThickness, kDashGrey,
          [&](PathPoint point) { return IsOnStroke(point, dash); }, picture);
    }
  }
  for (PathPoint dot : scene.dots) {
    Draw(
        dot, dot, kDotRadius, kDotGrey,
        [&](PathPoint point) {
          return SquaredDistance(point, dot) <= int64_t{kDotRadius} * kDotRadius;
        },
        picture);
  }
  return picture;
}

}  // namespace internal

GreyPictures GeneratePaths(uint64_t seed, int64_t count) {
  GreyPictures pictures;
  pictures.reserve(count);
  std::array<uint8_t, 2> labels = {0, 1};
  for (int64_t pair = 0; 2 * pair < count; ++pair) {
    Random random(DeriveSeed(seed, pair));
    random.Shuffle(absl::MakeSpan(labels));
    for (uint8_t label : labels) {
      if (static_cast<int64_t>(pictures.size()) == count) break;
      pictures.push_back(internal::DrawPathScene(internal::MakePathScene(label, random)));
    }
  }
  return pictures;
}

}  // namespace spion
