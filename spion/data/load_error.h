// What loaders do with an error on its way out, so that all of them mean the same by its code.
//
// NotFound from a loader says that nothing of the task is in the data folder. A data set of which
// some file is missing is damaged: DataLoss.
#ifndef SPION_DATA_LOAD_ERROR_H_
#define SPION_DATA_LOAD_ERROR_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace spion {

/// The same error, as DataLoss if it is NotFound: for a file of a data set that is there.
absl::Status AsDamage(const absl::Status& error);

/// The same error with what the user can do, a sentence without its stop, at its end.
absl::Status WithWayOut(const absl::Status& error, absl::string_view way_out);

}  // namespace spion

#endif  // SPION_DATA_LOAD_ERROR_H_
