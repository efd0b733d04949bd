// Finds the folder that a task's files are in, from the one that the user named.
//
//   ASSIGN_OR_RETURN(const DataFolder folder,
//                    FindDataFolder("/data", {"tsv_data", "aan"}, {"new_aan_pairs.train.tsv"}));
//   folder.path;                 // "/data/aan"
//   DescribeDataFolder(folder);  // the same, and what else there is
#ifndef SPION_DATA_DATA_FOLDER_H_
#define SPION_DATA_DATA_FOLDER_H_

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace spion {

/// Where a task's files are.
struct DataFolder {
  std::filesystem::path path;
  /// Other places that hold such files. Nothing reads them.
  std::vector<std::filesystem::path> passed_over;
};

/// The path, and in brackets those that were passed over.
std::string DescribeDataFolder(const DataFolder& folder);

/// A task's files are known by `entries`: a folder that holds one of them is the task's. Looked for
/// in this order, of which the first is taken: each of `names`, paths below `data_dir`; each of
/// them below lra_release and lra_release/lra_release, as the Long Range Arena release unpacks;
/// `data_dir` itself.
/// Errors: NotFound for a missing data folder, or one with none of this, naming all that was looked
/// for; FailedPrecondition for anything else but a folder in its place, or in that of all `names`;
/// the operating system's, naming the path, where nothing was found and one could not be looked at.
absl::StatusOr<DataFolder> FindDataFolder(const std::filesystem::path& data_dir,
                                          absl::Span<const char* const> names,
                                          absl::Span<const char* const> entries);

/// What a loader returns of an error inside its task's folder: NotFound, a missing file, becomes
/// DataLoss, so that NotFound says that nothing of the task is there. Others stay as they are.
absl::Status MissingIsDataLoss(const absl::Status& status);

/// The same error with the way out, a sentence without its point, at the end of its message.
absl::Status WithWayOut(const absl::Status& error, absl::string_view way_out);

}  // namespace spion

#endif  // SPION_DATA_DATA_FOLDER_H_
