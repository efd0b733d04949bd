#include "spion/data/path_scene.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdlib>

#include "absl/types/span.h"
#include "spion/data/grey_picture.h"

namespace spion {
namespace {

constexpr int kPixel = kPathUnitsPerPixel;
constexpr int kSide = kPictureSide * kPixel;

constexpr size_t kLongPaths = 2;
constexpr size_t kLongPathDashes = 14;
constexpr size_t kShortPathDashes = 4;
constexpr size_t kMostShortPaths = 5;
constexpr size_t kMostDashes = kLongPaths * kLongPathDashes + kMostShortPaths * kShortPathDashes;

constexpr int kDash = kPixel * 3 / 2;
constexpr int kGap = kPixel;
// Between the middle lines of dashes that do not follow each other. The gap within a path is 1
// pixel, so a path can be told from its neighbours.
constexpr int kClearance = kPixel * 5 / 2;
// Between two ends of long paths, where dots may lie.
constexpr int kDotClearance = 4 * kPixel;
// Room for a dot at the border.
constexpr int kBorder = kPixel * 3 / 2;
// Of the first long path's beginning, so that paths start in the middle of the picture.
constexpr int kSeedBorder = 14 * kPixel;
constexpr int kSeedDistance = 7 * kPixel;

// A circle has 64 directions.
constexpr int kDirections = 64;
constexpr int kQuarter = kDirections / 4;

// Chosen by the time they take. A dash that finds no room is given up with some dashes before it;
// after some such steps back all paths that were growing are given up.
constexpr int kTurnTrials = 6;
constexpr size_t kDashesBack = 3;
constexpr int kStepsBackOfLongPaths = 30;
constexpr int kStepsBackOfShortPaths = 2;
constexpr int kShortPathTrials = 4;

constexpr int kOne = 256;
/// The cosine of each direction, in 256ths.
constexpr std::array<int, kDirections> kCosines = [] {
  constexpr std::array<int, kQuarter> kFirstQuarter = {256, 255, 251, 245, 237, 226, 213, 198,
                                                       181, 162, 142, 121, 98,  74,  50,  25};
  std::array<int, kDirections> cosines = {};
  for (int i = 0; i < kQuarter; ++i) {
    cosines[i] = kFirstQuarter[i];
    cosines[2 * kQuarter - i] = -kFirstQuarter[i];
    cosines[2 * kQuarter + i] = -kFirstQuarter[i];
    cosines[(4 * kQuarter - i) % kDirections] = kFirstQuarter[i];
  }
  return cosines;
}();

int Cosine(int direction) { return kCosines[static_cast<unsigned>(direction) % kDirections]; }

/// Of 256 turns, in 64ths of a circle, as many as fall to each by the square of its cosine.
constexpr std::array<int8_t, 256> kTurns = [] {
  // Of none, and of 1 to 14 to either side; of 15 it would be 0.15.
  constexpr std::array<int, 15> kCounts = {16, 16, 15, 15, 14, 12, 11, 10, 8, 6, 5, 4, 2, 1, 1};
  std::array<int8_t, 256> turns = {};
  size_t i = 0;
  for (int turn = -14; turn <= 14; ++turn) {
    for (int left = kCounts[turn < 0 ? -turn : turn]; left > 0; --left) {
      turns[i++] = static_cast<int8_t>(turn);
    }
  }
  return turns;
}();

PathPoint Ahead(PathPoint point, int direction, int distance) {
  const auto part = [&](int cosine) { return distance * cosine / kOne; };
  return {point.x + part(Cosine(direction)), point.y + part(Cosine(direction - kQuarter))};
}

bool InPicture(PathPoint point) {
  const auto inside = [](int place) { return place >= kBorder && place <= kSide - kBorder; };
  return inside(point.x) && inside(point.y);
}

int SquaredDistance(PathPoint a, PathPoint b) {
  const int x = a.x - b.x;
  const int y = a.y - b.y;
  return x * x + y * y;
}

/// Whether the point is less than the clearance away from the dash's middle line.
bool IsNear(PathPoint point, const PathDash& dash) {
  constexpr int kSquaredClearance = kClearance * kClearance;
  const int64_t along_x = dash.to.x - dash.from.x;
  const int64_t along_y = dash.to.y - dash.from.y;
  const int64_t x = point.x - dash.from.x;
  const int64_t y = point.y - dash.from.y;
  const int64_t length = along_x * along_x + along_y * along_y;
  const int64_t dot = x * along_x + y * along_y;
  if (dot <= 0) return x * x + y * y < kSquaredClearance;
  if (dot >= length) return SquaredDistance(point, dash.to) < kSquaredClearance;
  const int64_t cross = x * along_y - y * along_x;
  return cross * cross < kSquaredClearance * length;
}

/// Whether two dashes come nearer than the clearance. Then one of the four ends does, even where
/// dashes cross, as no dash is longer than the clearance.
bool AreNear(const PathDash& a, const PathDash& b) {
  return IsNear(a.from, b) || IsNear(a.to, b) || IsNear(b.from, a) || IsNear(b.to, a);
}
static_assert(kClearance >= kDash);

int DrawDirection(Random& random) { return static_cast<int>(random.Below(kDirections)); }

int DrawTurn(Random& random) { return kTurns[random.Below(kTurns.size())]; }

PathPoint DrawPlace(int border, Random& random) {
  const auto draw = [&] { return static_cast<int>(random.Between(border, kSide - border)); };
  const int x = draw();
  return {x, draw()};
}

/// A dash and which of the 64 directions it has.
struct Step {
  PathDash dash;
  int direction;
};

Step StepFrom(PathPoint from, int direction) {
  return {{from, Ahead(from, direction, kDash)}, direction};
}

constexpr size_t kNone = kMostDashes;

/// All dashes there are, in the order in which they came.
class Ground {
 public:
  size_t size() const { return size_; }
  const Step& operator[](size_t i) const { return steps_[i]; }
  void Shrink(size_t size) { size_ = size; }

  /// Adds a step if it keeps away from all others but number `before`, which it follows, or kNone.
  bool AddIfThereIsRoom(const Step& step, size_t before) {
    if (!InPicture(step.dash.from) || !InPicture(step.dash.to) || IsCrowded(step.dash, before)) {
      return false;
    }
    assert(size_ < kMostDashes);
    steps_[size_] = step;
    const auto [x, y] = TwiceMiddle(step.dash);
    twice_middle_x_[size_] = x;
    twice_middle_y_[size_] = y;
    ++size_;
    return true;
  }

 private:
  static PathPoint TwiceMiddle(const PathDash& dash) {
    return {dash.from.x + dash.to.x, dash.from.y + dash.to.y};
  }

  bool IsCrowded(const PathDash& dash, size_t before) const {
    // Dashes can only be near if their middles are: a loop that takes several at a time.
    constexpr int kReach = 2 * (kClearance + kDash + 1);
    const auto [x, y] = TwiceMiddle(dash);
    std::array<uint8_t, kMostDashes> may_be_near;
    for (size_t i = 0; i < size_; ++i) {
      const int dx = twice_middle_x_[i] - x, dy = twice_middle_y_[i] - y;
      may_be_near[i] = dx * dx + dy * dy < kReach * kReach;
    }
    for (size_t i = 0; i < size_; ++i) {
      if (may_be_near[i] && i != before && AreNear(dash, steps_[i].dash)) return true;
    }
    return false;
  }

  size_t size_ = 0;
  std::array<Step, kMostDashes> steps_;
  std::array<int, kMostDashes> twice_middle_x_, twice_middle_y_;
};

/// Adds a step behind number `before`, if one is found that has room.
bool AddStepAfter(size_t before, Ground& ground, Random& random) {
  const Step last = ground[before];
  const PathPoint from = Ahead(last.dash.to, last.direction, kGap);
  for (int trial = 0; trial < kTurnTrials; ++trial) {
    const Step step = StepFrom(from, last.direction + DrawTurn(random));
    if (ground.AddIfThereIsRoom(step, before)) return true;
  }
  return false;
}

/// Grows the last `paths` steps, which are first dashes, to paths of `dashes` dashes, whose steps
/// take turns. False if there is no room; the ground is then unspecified from these steps on.
bool Grow(size_t paths, size_t dashes, int most_steps_back, Ground& ground, Random& random) {
  const size_t begin = ground.size() - paths;
  int steps_back = 0;
  while (ground.size() < begin + paths * dashes) {
    if (AddStepAfter(ground.size() - paths, ground, random)) continue;
    if (++steps_back > most_steps_back) return false;
    const size_t grown = ground.size() - begin - paths;
    ground.Shrink(ground.size() - std::min(grown, kDashesBack * paths));
  }
  return true;
}

bool AddLongPaths(Ground& ground, Random& random) {
  const PathPoint seed = DrawPlace(kSeedBorder, random);
  const PathPoint other_seed = Ahead(seed, DrawDirection(random), kSeedDistance);
  return ground.AddIfThereIsRoom(StepFrom(seed, DrawDirection(random)), kNone) &&
         ground.AddIfThereIsRoom(StepFrom(other_seed, DrawDirection(random)), kNone) &&
         Grow(kLongPaths, kLongPathDashes, kStepsBackOfLongPaths, ground, random);
}

bool AddShortPath(Ground& ground, Random& random) {
  const size_t begin = ground.size();
  const PathPoint from = DrawPlace(kBorder, random);
  const Step first = StepFrom(from, DrawDirection(random));
  if (!ground.AddIfThereIsRoom(first, kNone)) return false;
  if (Grow(1, kShortPathDashes, kStepsBackOfShortPaths, ground, random)) return true;
  ground.Shrink(begin);
  return false;
}

void AddShortPaths(Ground& ground, Random& random) {
  for (size_t path = 0; path < kMostShortPaths; ++path) {
    for (int trial = 0; trial < kShortPathTrials; ++trial) {
      if (AddShortPath(ground, random)) break;
    }
  }
}

using Path = std::vector<PathDash>;

std::vector<Path> PathsOf(const Ground& ground) {
  std::vector<Path> paths(kLongPaths);
  constexpr size_t kInLongPaths = kLongPaths * kLongPathDashes;
  for (size_t i = 0; i < kInLongPaths; ++i) paths[i % kLongPaths].push_back(ground[i].dash);
  for (size_t i = kInLongPaths; i < ground.size(); ++i) {
    if ((i - kInLongPaths) % kShortPathDashes == 0) paths.emplace_back();
    paths.back().push_back(ground[i].dash);
  }
  return paths;
}

using TwoPoints = std::array<PathPoint, 2>;

bool AreApart(const TwoPoints& dots) {
  return SquaredDistance(dots[0], dots[1]) >= kDotClearance * kDotClearance;
}

/// Where the dots may lie, for each label: a beginning and an end of a long path. False if ends are
/// too close for dots.
bool PlaceDots(absl::Span<const Path> paths, std::array<TwoPoints, 2>& dots_of_label) {
  const auto ends = [&](size_t begins, size_t finishes) {
    return TwoPoints{paths[begins].front().from, paths[finishes].back().to};
  };
  const std::array<TwoPoints, 2> apart = {ends(0, 1), ends(1, 0)};
  const std::array<TwoPoints, 2> joined = {ends(0, 0), ends(1, 1)};
  for (const auto& pairs : {apart, joined}) {
    if (!AreApart(pairs[0]) || !AreApart(pairs[1])) return false;
  }
  int least = -1;
  for (const TwoPoints& a : apart) {
    for (const TwoPoints& j : joined) {
      const int difference = std::abs(SquaredDistance(a[0], a[1]) - SquaredDistance(j[0], j[1]));
      if (least >= 0 && difference >= least) continue;
      dots_of_label = {a, j};
      least = difference;
    }
  }
  return true;
}

}  // namespace

PathScene MakePathScene(uint8_t label, Random& random) {
  PathScene scene;
  scene.label = label;
  std::array<TwoPoints, 2> dots_of_label;
  for (;;) {
    Ground ground;
    if (!AddLongPaths(ground, random)) continue;
    AddShortPaths(ground, random);
    scene.paths = PathsOf(ground);
    if (PlaceDots(scene.paths, dots_of_label)) break;
  }
  scene.dots = dots_of_label[label];
  return scene;
}

}  // namespace spion
