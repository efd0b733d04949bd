// run.lock in a run's folder: it marks the folder as a run's, and is locked while the run lasts.
//
//   ASSIGN_OR_RETURN(RunLock lock, RunLock::Take(folder));
//   RETURN_IF_ERROR(lock.Sign());
//
//   {"program": "SPION", "host": "node7", "process": 4711}
//
// The lock is flock's: it ends with the process, however that ends, and the file stays as a mark.
#ifndef SPION_RUN_RUN_LOCK_H_
#define SPION_RUN_RUN_LOCK_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "spion/base/descriptor.h"
#include "spion/base/folder.h"

namespace spion {

class RunLock {
 public:
  static constexpr absl::string_view kName = "run.lock";

  /// Locks the folder for as long as the lock lives; an absent file is made, empty.
  /// Errors: FailedPrecondition, naming the folder and the host and process of the run that has it
  /// locked; the system's.
  static absl::StatusOr<RunLock> Take(const Folder& folder);

  /// Writes into the file whose it is. Errors: the system's, naming the file.
  absl::Status Sign() const;

  /// Whether the folder's file has been signed by a run, which may have ended.
  static bool IsSigned(const Folder& folder);

 private:
  RunLock(FilePlace place, Descriptor file) : place_(std::move(place)), file_(std::move(file)) {}

  FilePlace place_;
  Descriptor file_;
};

}  // namespace spion

#endif  // SPION_RUN_RUN_LOCK_H_
