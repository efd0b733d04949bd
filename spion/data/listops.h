// The ListOps task: the value of a nested expression of MIN, MAX, MED and SM over digits.
//
//   ASSIGN_OR_RETURN(TaskData listops, LoadListOps({.seed = 1001}));         // generated
//   ASSIGN_OR_RETURN(TaskData listops, LoadListOps({.data_dir = "/data"}));  // basic_*.tsv
//
// Sequences of up to 2000 ids, padded to 2048: a token of listops_expression.h plus 1, so that 0 is
// padding, which is masked; a vocabulary of 16. Ten classes. 96,000 / 2,000 / 2,000 examples,
// unless the options or the files say otherwise. ListOps is defined by its generator, which runs
// where no data folder is given: it is the data set, and DataSource::generated is false for it.
//
// Source: Tay et al. 2021, "Long Range Arena", long ListOps.
#ifndef SPION_DATA_LISTOPS_H_
#define SPION_DATA_LISTOPS_H_

#include "absl/status/statusor.h"
#include "spion/data/task.h"

namespace spion {

/// Every line of the files is evaluated and compared with its target. Longer expressions are cut.
/// Errors: those of FindListOpsFolder and ReadListOps (listops_files.h) where a data folder is
/// given; InvalidArgument for a negative size, or for sizes together with a data folder.
absl::StatusOr<TaskData> LoadListOps(const TaskOptions& options);

}  // namespace spion

#endif  // SPION_DATA_LISTOPS_H_
