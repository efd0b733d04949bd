// What the tasks on pictures share: filling a TaskData's splits with grey pictures.
#ifndef SPION_DATA_PICTURE_SPLITS_H_
#define SPION_DATA_PICTURE_SPLITS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "spion/base/parallel.h"
#include "spion/data/grey_picture.h"
#include "spion/data/task.h"

namespace spion {

/// Appends the pictures to the split, in their order.
void AddPictures(absl::Span<const GreyPicture> pictures, Split& split);

/// Fills the splits of `data` with what `generate` makes (GenerateSplits), and its source: the hash
/// is of each picture's label and pixels; `what` ("generated shapes") opens its description. As
/// many pictures as `defaults` says, unless the options say otherwise. Errors: InvalidArgument for
/// a negative size.
absl::Status AddGeneratedPictures(absl::string_view what, const GeneratedSizes& defaults,
                                  const TaskOptions& options,
                                  GreyPictures (*generate)(uint64_t seed, int64_t count,
                                                           const ParallelFor& parallel),
                                  TaskData& data);

}  // namespace spion

#endif  // SPION_DATA_PICTURE_SPLITS_H_
