// Finds the folder that a task's files are in, from the one that the user named.
//
//   ASSIGN_OR_RETURN(std::filesystem::path folder,
//                    FindDataFolder("/data", "aclImdb", {"train", "test"}));
#ifndef SPION_DATA_DATA_FOLDER_H_
#define SPION_DATA_DATA_FOLDER_H_

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace spion {

/// `data_dir`/`inner` if that is a folder; else `data_dir`, if it has that name or holds one of
/// `entries`.
/// Errors: NotFound for a missing folder, or one with none of this; FailedPrecondition for anything
/// else but a folder in its place.
absl::StatusOr<std::filesystem::path> FindDataFolder(const std::filesystem::path& data_dir,
                                                     const std::string& inner,
                                                     absl::Span<const char* const> entries);

}  // namespace spion

#endif  // SPION_DATA_DATA_FOLDER_H_
