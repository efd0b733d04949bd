// The text task: tell whether a film review, read byte by byte, praises or blames.
//
//   ASSIGN_OR_RETURN(TaskData text, LoadText({.data_dir = "/data"}));  // IMDb
//   ASSIGN_OR_RETURN(TaskData text, LoadText({.seed = 7}));            // generated reviews
//
// Bytes plus 1, cut at 4000, padded with 0 to 4096 (document.h); label 1 is praise. IMDb gives
// 25,000 / 25,000 / 25,000 examples: it has no dev set, so dev is the test set. Generated are
// as many, with a dev set of their own, unless the options say otherwise.
//
// Source: Tay et al. 2021, "Long Range Arena", byte-level text classification.
#ifndef SPION_DATA_TEXT_H_
#define SPION_DATA_TEXT_H_

#include "absl/status/statusor.h"
#include "spion/data/task.h"

namespace spion {

/// Errors: those of ReadImdb (imdb.h) where a data folder is given; InvalidArgument for a negative
/// size, or for sizes together with a data folder.
absl::StatusOr<TaskData> LoadText(const TaskOptions& options);

}  // namespace spion

#endif  // SPION_DATA_TEXT_H_
