#include "spion/data/data_folder.h"

#include <algorithm>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace spion {

absl::StatusOr<std::filesystem::path> FindDataFolder(const std::filesystem::path& data_dir,
                                                     const std::string& inner,
                                                     absl::Span<const char* const> entries) {
  std::error_code ignored;  // A path that cannot be looked at counts as not there.
  const auto is_folder = [&](const std::filesystem::path& path) {
    return std::filesystem::is_directory(path, ignored);
  };
  const auto is_there = [&](const std::filesystem::path& path) {
    return std::filesystem::exists(path, ignored);
  };
  if (!is_there(data_dir)) {
    return absl::NotFoundError(absl::StrCat("data folder ", data_dir.string(), " is missing"));
  }
  if (!is_folder(data_dir)) {
    return absl::FailedPreconditionError(
        absl::StrCat("data folder ", data_dir.string(), " is not a folder"));
  }
  const std::filesystem::path folder = data_dir / inner;
  if (is_folder(folder)) return folder;
  if (is_there(folder)) {
    return absl::FailedPreconditionError(absl::StrCat(folder.string(), " is not a folder"));
  }
  const bool named_so = (data_dir / "").parent_path().filename() == inner;
  const auto is_here = [&](const char* entry) { return is_there(data_dir / entry); };
  if (named_so || std::any_of(entries.begin(), entries.end(), is_here)) return data_dir;
  return absl::NotFoundError(absl::StrCat("neither a folder ", inner, " nor its content (",
                                          absl::StrJoin(entries, ", "), ") is in ",
                                          data_dir.string()));
}

}  // namespace spion
