// Generates grey pictures in ten classes, so that the image task runs where CIFAR-10 is not at
// hand.
//
//   GreyPictures train = GenerateImages(/*seed=*/1001, /*count=*/8000, parallel);
//
// The classes, by label: disc, ring, square outline, triangle, cross; horizontal, vertical and
// diagonal stripes, checkerboard; blobs. Place, size, tilt, contrast, a slope of brightness,
// clutter and noise are random. A class also leans towards a brightness, a contrast and a place of
// its own, as the classes of photographs do, so that a model learns something within its first few
// hundred steps; the leanings overlap, so that the rest is in the structure.
//
// Bit for bit the same on every machine and for any number of threads: all arithmetic is on
// integers, and all chance comes from spion/base/random.h.
#ifndef SPION_DATA_GENERATED_IMAGES_H_
#define SPION_DATA_GENERATED_IMAGES_H_

#include <cstdint>

#include "spion/base/parallel.h"
#include "spion/data/grey_picture.h"

namespace spion {

/// `count` pictures. Pictures 10 i .. 10 i + 9 have the ten labels in random order, so every class
/// is as frequent as the next. A smaller `count` gives the first pictures of a larger one.
GreyPictures GenerateImages(uint64_t seed, int64_t count,
                            const ParallelFor& parallel = SerialFor());

}  // namespace spion

#endif  // SPION_DATA_GENERATED_IMAGES_H_
