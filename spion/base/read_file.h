// Reads a whole file, at once or part by part, or says why it could not.
//
//   ASSIGN_OR_RETURN(std::string bytes, ReadFile("/data/test_batch.bin"));
#ifndef SPION_BASE_READ_FILE_H_
#define SPION_BASE_READ_FILE_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace spion {

/// The content of the file at `path`.
/// Errors, each naming `path`: NotFound if there is none; FailedPrecondition if a folder or
/// anything else but a file is there; otherwise what the system says (PermissionDenied, ...).
absl::StatusOr<std::string> ReadFile(const std::string& path);

/// Hands the file's content to `take`, in order, in parts of at most a mebibyte, so that a file
/// need not fit into memory; none for an empty file. Errors: those of ReadFile; the first one that
/// `take` gives, as it is, which ends the reading.
absl::Status ReadFileInParts(const std::string& path,
                             absl::FunctionRef<absl::Status(absl::string_view part)> take);

}  // namespace spion

#endif  // SPION_BASE_READ_FILE_H_
