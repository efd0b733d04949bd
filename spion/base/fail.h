// How a program says that it failed.
#ifndef SPION_BASE_FAIL_H_
#define SPION_BASE_FAIL_H_

#include "absl/strings/string_view.h"

namespace spion {

/// Writes `error: <message>` to stderr. Returns the exit code, 1.
int Fail(absl::string_view message);

}  // namespace spion

#endif  // SPION_BASE_FAIL_H_
