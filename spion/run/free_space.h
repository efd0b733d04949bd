// Whether a folder has room for what a run will write, asked before it starts.
#ifndef SPION_RUN_FREE_SPACE_H_
#define SPION_RUN_FREE_SPACE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace spion {

/// `folder` may not be there yet: then the nearest of its parents that is there is looked at.
/// Errors: PermissionDenied where nothing may be written there; ResourceExhausted where fewer than
/// `bytes` are free; both name the folder and the way out. A file system that tells nothing of its
/// size is taken to have room.
absl::Status CheckFreeSpace(const std::string& folder, int64_t bytes);

}  // namespace spion

#endif  // SPION_RUN_FREE_SPACE_H_
