// Where the user stands: `bazel run` starts programs elsewhere and tells by
// BUILD_WORKING_DIRECTORY.
#ifndef SPION_BASE_USER_DIRECTORY_H_
#define SPION_BASE_USER_DIRECTORY_H_

#include <string>

#include "absl/status/status.h"

namespace spion {

std::string UserDirectory();

/// Makes it the current one, so that relative paths are the user's. Errors name it.
absl::Status EnterUserDirectory();

}  // namespace spion

#endif  // SPION_BASE_USER_DIRECTORY_H_
