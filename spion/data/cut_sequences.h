// What a task's data lose where sequences are longer than the model reads: by the task's own limit,
// or by TaskData::ShortenTo.
//
//   data.ShortenTo(512);
//   data.source.description += DescribeCuts(data);  // "...; cut to 512 ids: 83 of 96 train, ..."
#ifndef SPION_DATA_CUT_SEQUENCES_H_
#define SPION_DATA_CUT_SEQUENCES_H_

#include <string>

#include "absl/status/status.h"
#include "spion/data/task.h"

namespace spion {

/// How many sequences of each split are cut, to be appended to DataSource::description, and what
/// that means for the task. Empty for a task without padding, whose sequences are of one length.
std::string DescribeCuts(const TaskData& data);

/// FailedPrecondition, with the name of the first sequence that is cut and how many there are, if
/// any is.
absl::Status CheckNoneIsCut(const TaskData& data);

}  // namespace spion

#endif  // SPION_DATA_CUT_SEQUENCES_H_
