// Generates pathfinder pictures: are the two dots joined by a dashed path?
//
//   GreyPictures train = GeneratePaths(/*seed=*/1001, /*count=*/8000);
//
// As in the pictures of the Long Range Arena, white on black: two curved paths of 14 dashes each,
// as many short ones of 4 dashes as find room, up to 4, and two dots. The dots lie on the two ends
// of one long path (label 1), or each on an end of another long path (label 0). Of the four pairs
// of ends that would be label 0, that one has the dots whose distance is nearest to the distance of
// the first path's two ends, so that a short distance does not give the label away.
//
// What belongs together can be seen: dashes of one path follow each other 1 pixel apart and turn by
// less than 29 degrees, while dashes of different paths, and dashes of one path that do not follow
// each other, stay 3 pixels apart, the ends of the long paths 4 pixels.
//
// Bit for bit the same on every machine: all arithmetic is on integers, and all chance comes from
// spion/base/random.h.
//
// Source: Linsley et al. 2018, "Learning long-range spatial dependencies with horizontal gated
// recurrent units", section 3.
#ifndef SPION_DATA_GENERATED_PATHS_H_
#define SPION_DATA_GENERATED_PATHS_H_

#include <array>
#include <cstdint>
#include <vector>

#include "spion/base/random.h"
#include "spion/data/grey_picture.h"

namespace spion {

/// `count` pictures. Pictures 2 i and 2 i + 1 have the two labels in random order, so one is as
/// frequent as the other. A smaller `count` gives the first pictures of a larger one.
GreyPictures GeneratePaths(uint64_t seed, int64_t count);

namespace internal {

/// Places are in units of 1 / 64 pixel from the picture's top left corner.
inline constexpr int kPathUnitsPerPixel = 64;

struct PathPoint {
  int x, y;
};

struct PathDash {
  PathPoint from, to;
};

/// What is drawn.
struct PathScene {
  /// The two long paths, then the short ones; a path's dashes in their order.
  std::vector<std::vector<PathDash>> paths;
  std::array<PathPoint, 2> dots;
  uint8_t label;
};

PathScene MakePathScene(uint8_t label, Random& random);
GreyPicture DrawPathScene(const PathScene& scene);

}  // namespace internal
}  // namespace spion

#endif  // SPION_DATA_GENERATED_PATHS_H_
