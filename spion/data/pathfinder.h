// The pathfinder task: say whether a dashed path joins the two dots of a 32 x 32 grey picture that
// is read pixel by pixel.
//
//   ASSIGN_OR_RETURN(TaskData paths, LoadPathfinder({.data_dir = "/data"}));  // as published
//   ASSIGN_OR_RETURN(TaskData paths, LoadPathfinder({.seed = 7}));            // generated
//
// 1024 ids in 0 .. 255, row by row; two classes, 1 if the dots are joined; no padding, so id 0 is a
// black pixel. The published pictures (paths of 14 dashes) have no splits of their own: a shuffle
// that is always the same makes 80 % of them train, 10 % dev and the rest test, so that no order in
// the files matters. Generated are 160,000 / 20,000 / 20,000, unless the options say otherwise.
//
// Source: Tay et al. 2021, "Long Range Arena", Pathfinder.
#ifndef SPION_DATA_PATHFINDER_H_
#define SPION_DATA_PATHFINDER_H_

#include "absl/status/statusor.h"
#include "spion/data/task.h"

namespace spion {

/// Within a split the pictures are in the order of the metadata files' numbers and their lines. The
/// source's hash is of the metadata files and then of the pictures' files, in this order.
/// Errors: those of pathfinder_files.h where a data folder is given, and DataLoss for fewer than 10
/// pictures, which do not fill three splits; InvalidArgument for a negative size, or for sizes
/// together with a data folder.
absl::StatusOr<TaskData> LoadPathfinder(const TaskOptions& options);

}  // namespace spion

#endif  // SPION_DATA_PATHFINDER_H_
