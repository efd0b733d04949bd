// Writing files so that nobody ever sees half of one.
#ifndef SPION_BASE_FILE_H_
#define SPION_BASE_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace spion {

/// Writes `content` to `path + ".partial"`, flushes it to the disk and renames it to `path`.
/// Errors: the operating system's, naming the file; `path` is then as it was.
absl::Status WriteFileAtomically(const std::string& path, absl::string_view content);

}  // namespace spion

#endif  // SPION_BASE_FILE_H_
