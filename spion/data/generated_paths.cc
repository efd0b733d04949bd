#include "spion/data/generated_paths.h"

#include "absl/types/span.h"
#include "spion/base/random.h"
#include "spion/data/make_in_groups.h"
#include "spion/data/path_drawing.h"
#include "spion/data/path_scene.h"

namespace spion {

GreyPictures GeneratePaths(uint64_t seed, int64_t count, const ParallelFor& parallel) {
  return MakeInGroups<GreyPicture>(count, /*group_size=*/2, parallel,
                                   [seed](int64_t group, absl::Span<GreyPicture> two) {
                                     Random random(DeriveSeed(seed, group));
                                     auto label = static_cast<uint8_t>(random.Below(2));
                                     for (GreyPicture& picture : two) {
                                       picture = DrawPathScene(MakePathScene(label, random));
                                       label = 1 - label;
                                     }
                                   });
}

}  // namespace spion
