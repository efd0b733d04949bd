#include "spion/data/data_folder.h"

#include <algorithm>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "spion/base/status.h"

namespace spion {
namespace {

// The release's archive holds a folder of its own name in one of its own name, and some of its
// content in either.
constexpr const char* kReleaseFolders[] = {"lra_release", "lra_release/lra_release"};

// Of paths that cannot be looked at, which count as not there, the first one.
class Looks {
 public:
  bool IsThere(const std::filesystem::path& path) {
    std::error_code error;
    const bool is_there = std::filesystem::exists(path, error);
    if (error && obstacle_.ok()) {
      obstacle_ =
          absl::ErrnoToStatus(error.value(), absl::StrCat("cannot look at ", path.string()));
    }
    return is_there;
  }
  const absl::Status& obstacle() const { return obstacle_; }

 private:
  absl::Status obstacle_;
};

bool IsFolder(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

bool IsSame(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code ignored;
  return std::filesystem::equivalent(a, b, ignored);
}

std::vector<std::filesystem::path> Places(const std::filesystem::path& data_dir,
                                          absl::Span<const char* const> names) {
  std::vector<std::filesystem::path> places;
  for (const char* name : names) places.push_back(data_dir / name);
  for (const char* release : kReleaseFolders) {
    for (const char* name : names) places.push_back(data_dir / release / name);
  }
  places.push_back(data_dir);
  return places;
}

}  // namespace

std::string DescribeDataFolder(const DataFolder& folder) {
  if (folder.passed_over.empty()) return folder.path.string();
  return absl::StrCat(folder.path.string(), " (NOT from ",
                      absl::StrJoin(folder.passed_over, " or ",
                                    [](std::string* out, const std::filesystem::path& path) {
                                      absl::StrAppend(out, path.string());
                                    }),
                      ", where there is some too)");
}

absl::StatusOr<DataFolder> FindDataFolder(const std::filesystem::path& data_dir,
                                          absl::Span<const char* const> names,
                                          absl::Span<const char* const> entries) {
  Looks looks;
  if (!looks.IsThere(data_dir)) {
    RETURN_IF_ERROR(looks.obstacle());
    return absl::NotFoundError(absl::StrCat("data folder ", data_dir.string(), " is missing"));
  }
  if (!IsFolder(data_dir)) {
    return absl::FailedPreconditionError(
        absl::StrCat("data folder ", data_dir.string(), " is not a folder"));
  }
  DataFolder found;
  for (const std::filesystem::path& place : Places(data_dir, names)) {
    if (!looks.IsThere(place)) continue;  // one look instead of one for each entry
    const auto is_here = [&](const char* entry) { return looks.IsThere(place / entry); };
    if (std::none_of(entries.begin(), entries.end(), is_here)) continue;
    if (found.path.empty()) {
      found.path = place;
    } else if (!IsSame(place, found.path)) {  // As one of two links to a folder is.
      found.passed_over.push_back(place);
    }
  }
  if (!found.path.empty()) return found;
  RETURN_IF_ERROR(looks.obstacle());
  for (const char* name : names) {
    const std::filesystem::path place = data_dir / name;
    if (looks.IsThere(place) && !IsFolder(place)) {
      return absl::FailedPreconditionError(absl::StrCat(place.string(), " is not a folder"));
    }
  }
  return absl::NotFoundError(
      absl::StrCat("none of ", absl::StrJoin(entries, ", "), " is in ", data_dir.string(),
                   ", in a folder ", absl::StrJoin(names, " or "),
                   " there, or in such a folder below ", absl::StrJoin(kReleaseFolders, " or ")));
}

absl::Status MissingIsDataLoss(const absl::Status& status) {
  return absl::IsNotFound(status) ? absl::DataLossError(status.message()) : status;
}

absl::Status WithWayOut(const absl::Status& error, absl::string_view way_out) {
  return absl::Status(error.code(), absl::StrCat(error.message(), ". ", way_out, "."));
}

}  // namespace spion
