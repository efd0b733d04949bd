// The retrieval task: tell whether one of two papers, both read byte by byte, cites the other.
//
//   ASSIGN_OR_RETURN(TaskData retrieval, LoadRetrieval({.data_dir = "/data"}));  // AAN
//   ASSIGN_OR_RETURN(TaskData retrieval, LoadRetrieval({.seed = 7}));  // generated documents
//
// Two sequences an example, each of bytes plus 1, cut at 4000, padded with 0 to 4096 (document.h);
// label 1 is related. AAN gives 147,086 / 18,090 / 17,437 examples: at most 1.2 GB of train, 1.5 GB
// of all. Generated are as many, which take half of that, unless the options say otherwise.
//
// Source: Tay et al. 2021, "Long Range Arena", byte-level document retrieval.
#ifndef SPION_DATA_RETRIEVAL_H_
#define SPION_DATA_RETRIEVAL_H_

#include "absl/status/statusor.h"
#include "spion/data/task.h"

namespace spion {

/// Errors: those of ReadAan (aan.h) where a data folder is given; InvalidArgument for a negative
/// size, or for sizes together with a data folder. Files with other numbers of pairs than the
/// published ones are taken, and the source's description says so.
absl::StatusOr<TaskData> LoadRetrieval(const TaskOptions& options);

}  // namespace spion

#endif  // SPION_DATA_RETRIEVAL_H_
