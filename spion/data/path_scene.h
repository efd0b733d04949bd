// What a pathfinder picture shows: dashed paths, and the two dots on ends of them.
//
//   Random random(/*seed=*/7);
//   PathScene scene = MakePathScene(/*label=*/1, random);
//
// Two paths of 14 dashes each begin 7 pixels apart in the middle of the picture and grow side by
// side, dash by dash; then come as many short paths of 4 dashes as find room, up to 5. A path turns
// from dash to dash by less than 90 degrees, each turn as probable as the square of its cosine. The
// dots lie on both ends of one long path (label 1), or on the beginning of one and on the end of
// the other (label 0).
//
// The answer needs the paths. The scene is made before the label is looked at, so that all that is
// drawn beside the dots is alike under both labels; and of the two pairs of ends that would be
// label 1 and the two that would be label 0, those two are taken whose distances are nearest to
// each other, so that the dots' distance does not tell either. What belongs together can be seen:
// dashes that follow each other are 1 pixel apart, all others at least 2.5 pixels; dots at least 4.
//
// Bit for bit the same on every machine: all arithmetic is on integers, and all chance comes from
// spion/base/random.h.
//
// Source: Linsley et al. 2018, "Learning long-range spatial dependencies with horizontal gated
// recurrent units", section 3; the numbers are those of Tay et al. 2021, "Long Range Arena", for 32
// x 32 pixels, but for a dash's length (1.5 pixels, not 2) and the distances between dashes.
#ifndef SPION_DATA_PATH_SCENE_H_
#define SPION_DATA_PATH_SCENE_H_

#include <array>
#include <cstdint>
#include <vector>

#include "spion/base/random.h"

namespace spion {

/// Places are in units of 1 / 64 pixel from the picture's top left corner.
inline constexpr int kPathUnitsPerPixel = 64;

struct PathPoint {
  int x, y;
};

struct PathDash {
  PathPoint from, to;
};

struct PathScene {
  /// The two long paths, then the short ones; a path's dashes in their order.
  std::vector<std::vector<PathDash>> paths;
  std::array<PathPoint, 2> dots;
  uint8_t label;  // 1 if a path joins the dots, else 0.
};

PathScene MakePathScene(uint8_t label, Random& random);

}  // namespace spion

#endif  // SPION_DATA_PATH_SCENE_H_
