// Generates pathfinder pictures: are the two dots joined by a dashed path?
//
//   GreyPictures train = GeneratePaths(/*seed=*/1001, /*count=*/8000, parallel);
//
// path_scene.h has the rules.
//
// Bit for bit the same on every machine and for any number of threads.
#ifndef SPION_DATA_GENERATED_PATHS_H_
#define SPION_DATA_GENERATED_PATHS_H_

#include <cstdint>

#include "spion/base/parallel.h"
#include "spion/data/grey_picture.h"

namespace spion {

/// `count` pictures. Pictures 2 i and 2 i + 1 have the two labels in random order, so one is as
/// frequent as the other. A smaller `count` gives the first pictures of a larger one.
GreyPictures GeneratePaths(uint64_t seed, int64_t count, const ParallelFor& parallel = SerialFor());

}  // namespace spion

#endif  // SPION_DATA_GENERATED_PATHS_H_
