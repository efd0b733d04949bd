// Reads a whole file, or says why it could not.
//
//   ASSIGN_OR_RETURN(std::string bytes, ReadFile("/data/test_batch.bin"));
#ifndef SPION_BASE_READ_FILE_H_
#define SPION_BASE_READ_FILE_H_

#include <string>

#include "absl/status/statusor.h"

namespace spion {

/// The content of the file at `path`.
/// Errors, each naming `path`: NotFound if there is none; FailedPrecondition if a folder or
/// anything else but a file is there; otherwise what the system says (PermissionDenied, ...).
absl::StatusOr<std::string> ReadFile(const std::string& path);

}  // namespace spion

#endif  // SPION_BASE_READ_FILE_H_
