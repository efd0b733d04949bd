#include "spion/data/generated_images.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "absl/types/span.h"
#include "spion/base/random.h"
#include "spion/data/make_in_groups.h"

namespace spion {
namespace {

enum Kind : uint8_t {
  kDisc,
  kRing,
  kSquare,
  kTriangle,
  kCross,
  kHorizontalStripes,
  kVerticalStripes,
  kDiagonalStripes,
  kCheckerboard,
  kBlobs,
};
static_assert(kBlobs + 1 == kImageClasses);

// Lengths and places are in quarters of a pixel.
constexpr int kPixel = 4;

/// What a class leans towards.
struct Leaning {
  int background;  // Grey of the ground.
  int contrast;    // Grey of the figure less that of the ground.
  int x, y;        // Centre of the figure, in pixels.
};
constexpr std::array<Leaning, kImageClasses> kLeanings = {{
    {80, 90, 13, 13},     // disc
    {120, 80, 16, 16},    // ring
    {170, -80, 16, 16},   // square outline
    {150, -90, 18, 20},   // triangle
    {60, 110, 16, 14},    // cross
    {110, 70, 16, 19},    // horizontal stripes
    {140, -70, 13, 16},   // vertical stripes
    {90, 80, 19, 16},     // diagonal stripes
    {190, -110, 16, 16},  // checkerboard
    {150, 60, 16, 12},    // blobs
}};

// How far a picture may be from its class's leaning. The spread is what makes the classes overlap;
// chosen so that 16 grey levels and 4 x 4 mean brightnesses tell about half of the pictures apart.
constexpr int kBackgroundSpread = 30;
constexpr int kContrastSpread = 30;
constexpr int kPlaceSpread = 4 * kPixel;

struct Point {
  int x, y;
};

struct Figure {
  Kind kind;
  Point centre;
  int radius;     // Half the figure's extent.
  int thickness;  // Of outlines and bars; of half a period in stripes and checkerboards.
  int phase;      // Where stripes and checkerboards begin.
  int tilt;       // Sixteenths: the figure's right is (16, tilt).
  int handed;     // -1 or 1: which of the two diagonals.
  std::array<Point, 5> blobs;  // Relative to the centre.
};

int Between(Random& random, int low, int high) {
  return static_cast<int>(random.Between(low, high));
}

/// The quotient rounded down, also for a negative dividend.
int FloorDivide(int a, int b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

bool Odd(int a) { return (a & 1) != 0; }

Figure DrawFigure(Kind kind, Random& random) {
  const Leaning& leaning = kLeanings[kind];
  Figure figure;
  figure.kind = kind;
  figure.centre = {leaning.x * kPixel + Between(random, -kPlaceSpread, kPlaceSpread),
                   leaning.y * kPixel + Between(random, -kPlaceSpread, kPlaceSpread)};
  figure.radius = Between(random, 7 * kPixel, 12 * kPixel);
  figure.thickness = Between(random, 2 * kPixel, 4 * kPixel);
  figure.phase = Between(random, 0, 8 * kPixel);
  figure.tilt = Between(random, -4, 4);
  figure.handed = random.Below(2) == 0 ? -1 : 1;
  for (Point& blob : figure.blobs) {
    blob = {Between(random, -figure.radius, figure.radius),
            Between(random, -figure.radius, figure.radius)};
  }
  return figure;
}

/// Whether the point is on the figure.
bool Covers(const Figure& figure, Point point) {
  const int dx = point.x - figure.centre.x;
  const int dy = point.y - figure.centre.y;
  const int u = FloorDivide(dx * 16 + dy * figure.tilt, 16);
  const int v = FloorDivide(dy * 16 - dx * figure.tilt, 16);
  const int r = figure.radius;
  const int t = figure.thickness;
  const int distance = dx * dx + dy * dy;
  const int extent = std::max(std::abs(u), std::abs(v));
  // Which of the bands of `width` across the direction `along` this is.
  const auto band = [&](int along, int width) { return FloorDivide(along + figure.phase, width); };
  switch (figure.kind) {
    case kDisc:
      return distance <= r * r;
    case kRing:
      return distance <= r * r && distance >= (r - t) * (r - t);
    case kSquare:
      return extent <= r && extent >= r - t;
    case kTriangle:
      return std::abs(v) <= r && 2 * std::abs(u) <= v + r;
    case kCross:
      return extent <= r && 2 * std::min(std::abs(u), std::abs(v)) <= t;
    case kHorizontalStripes:
      return extent <= r && Odd(band(v, t));
    case kVerticalStripes:
      return extent <= r && Odd(band(u, t));
    case kDiagonalStripes:
      // u + v and u - v grow sqrt(2), some 3 / 2, times as fast as the way across the stripes.
      return extent <= r && Odd(band(u + figure.handed * v, t * 3 / 2));
    case kCheckerboard:
      return extent <= r && Odd(band(u, t) + band(v, t));
    case kBlobs:
      return std::any_of(figure.blobs.begin(), figure.blobs.end(), [&](Point blob) {
        const int x = dx - blob.x;
        const int y = dy - blob.y;
        return x * x + y * y <= t * t;
      });
  }
  return false;
}

/// How many of the pixel's four quarters have their centre on the figure.
int Coverage(const Figure& figure, int x, int y) {
  int covered = 0;
  for (int sub_y : {1, 3}) {
    for (int sub_x : {1, 3}) covered += Covers(figure, {x * kPixel + sub_x, y * kPixel + sub_y});
  }
  return covered;
}

using Greys = std::array<int, kPicturePixels>;

/// Makes a small box anywhere lighter or darker, so that ink alone does not mean figure.
void AddClutter(Random& random, Greys& greys) {
  const int width = Between(random, 1, 6);
  const int height = Between(random, 1, 6);
  const int left = Between(random, 0, kPictureSide - width);
  const int top = Between(random, 0, kPictureSide - height);
  const int change = Between(random, -60, 60);
  for (int y = top; y < top + height; ++y) {
    for (int x = left; x < left + width; ++x) greys[y * kPictureSide + x] += change;
  }
}

GreyPicture DrawPicture(Kind kind, Random& random) {
  const Leaning& leaning = kLeanings[kind];
  const Figure figure = DrawFigure(kind, random);
  const int background =
      leaning.background + Between(random, -kBackgroundSpread, kBackgroundSpread);
  const int contrast = leaning.contrast + Between(random, -kContrastSpread, kContrastSpread);
  const int slope_x = Between(random, -25, 25);
  const int slope_y = Between(random, -25, 25);
  const int noise = Between(random, 4, 20);

  Greys greys;
  for (int y = 0; y < kPictureSide; ++y) {
    for (int x = 0; x < kPictureSide; ++x) {
      const int slope =
          (slope_x * (2 * x - kPictureSide) + slope_y * (2 * y - kPictureSide)) / kPictureSide;
      greys[y * kPictureSide + x] = background + slope + contrast * Coverage(figure, x, y) / 4;
    }
  }
  const int clutter = Between(random, 0, 4);
  for (int i = 0; i < clutter; ++i) AddClutter(random, greys);

  GreyPicture picture;
  picture.label = kind;
  for (int i = 0; i < kPicturePixels; ++i) {
    const int grain = Between(random, -noise, noise) + Between(random, -noise, noise);
    picture.pixels[i] = static_cast<uint8_t>(std::clamp(greys[i] + grain, 0, 255));
  }
  return picture;
}

}  // namespace

GreyPictures GenerateImages(uint64_t seed, int64_t count, const ParallelFor& parallel) {
  // What draws a group of ten, and the labels, whose order comes from that in the group before.
  struct Ten {
    Random random;
    std::array<uint8_t, kImageClasses> labels;
  };
  std::vector<Ten> tens;
  std::array<uint8_t, kImageClasses> labels;
  std::iota(labels.begin(), labels.end(), uint8_t{0});
  for (int64_t ten = 0; ten * kImageClasses < count; ++ten) {
    Random random(DeriveSeed(seed, ten));
    random.Shuffle(absl::MakeSpan(labels));
    tens.push_back({random, labels});
  }
  return MakeInGroups<GreyPicture>(
      count, kImageClasses, parallel, [&](int64_t group, absl::Span<GreyPicture> pictures) {
        auto& [random, order] = tens[group];
        for (int i = 0; i < kImageClasses; ++i) {
          pictures[i] = DrawPicture(static_cast<Kind>(order[i]), random);
        }
      });
}

}  // namespace spion
