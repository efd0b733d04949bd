#include "spion/run/run_directory.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "spion/base/file.h"
#include "spion/base/json.h"
#include "spion/base/json_text.h"
#include "spion/base/read_file.h"
#include "spion/base/status.h"

namespace spion {
namespace {

namespace fs = std::filesystem;

// Of the file system, at the root of each ext4.
constexpr char kLostAndFound[] = "lost+found";

std::string WithoutSlashesAtItsEnd(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// The folder itself where `path` is a link to one: it is what is renamed and made anew.
// Errors: FailedPrecondition where it, or a folder on the way to it, is a link that leads nowhere.
absl::StatusOr<std::string> FolderBehind(const std::string& path) {
  std::error_code error;
  fs::path part;
  for (const fs::path& name : fs::path(path)) {
    part /= name;
    if (fs::is_symlink(part, error) && !fs::exists(part, error)) {
      return absl::FailedPreconditionError(
          absl::StrCat(part.string(),
                       " is a symbolic link that leads nowhere; make the folder that it names, "
                       "or give another folder as --out_dir"));
    }
  }
  if (!fs::is_symlink(path, error)) return path;
  const fs::path target = fs::canonical(path, error);
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot look behind ", path));
  return target.string();
}

absl::StatusOr<Folder> MakeAndOpen(const std::string& path, const std::string& behind) {
  std::error_code error;
  if (fs::exists(behind, error) && !fs::is_directory(behind, error)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is a file; --out_dir must name a folder, or nothing yet"));
  }
  fs::create_directories(behind, error);
  if (error) {
    return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot make the folder ", path));
  }
  return Folder::Open(path);
}

// Runs were not always marked by a lock: their manifest.json has always had these.
bool HasManifest(const Folder& folder) {
  const absl::StatusOr<std::string> text = ReadFile(folder.File(kManifestFileName));
  if (!text.ok()) return false;
  const absl::StatusOr<nlohmann::json> manifest = ParseJson(*text);
  if (!manifest.ok() || !manifest->is_object()) return false;
  const auto keys = {"command", "task", "method", "seed", "hyper_parameters", "git_commit"};
  return std::all_of(keys.begin(), keys.end(),
                     [&](const char* key) { return manifest->contains(key); });
}

enum class Content { kNothing, kEarlierRun };

absl::Status NoRuns(const Folder& folder, absl::string_view what) {
  return absl::FailedPreconditionError(
      absl::StrCat(folder.path(), " holds ", what,
                   " and is left as it is; give a new or an empty folder as --out_dir"));
}

// Errors: FailedPrecondition if there is anything in the folder that is not a run's.
absl::StatusOr<Content> Look(const Folder& folder) {
  ASSIGN_OR_RETURN(std::vector<Folder::Entry> entries, folder.Entries());
  std::erase_if(entries, [](const Folder::Entry& entry) {
    return entry.is_folder && entry.name == kLostAndFound;
  });
  if (entries.empty()) return Content::kNothing;
  const bool is_signed = RunLock::IsSigned(folder);
  if (!is_signed && !HasManifest(folder)) {
    // A run that was killed before it could sign leaves its lock empty.
    const bool is_empty_lock = entries.size() == 1 && entries.front().name == RunLock::kName &&
                               ReadFile(folder.File(RunLock::kName)).value_or("?").empty();
    if (is_empty_lock) return Content::kNothing;
    return NoRuns(folder, absl::StrCat("\"", entries.front().name, "\", is no run's folder,"));
  }
  const auto inner = std::find_if(entries.begin(), entries.end(),
                                  [](const Folder::Entry& entry) { return entry.is_folder; });
  if (inner != entries.end()) {
    return NoRuns(folder,
                  absl::StrCat("the folder \"", inner->name, "\", which is no part of a run,"));
  }
  return is_signed && entries.size() == 1 ? Content::kNothing : Content::kEarlierRun;
}

// Returns its new path.
absl::StatusOr<std::string> MoveAside(const std::string& path, const std::string& behind) {
  std::error_code error;
  int number = 1;
  while (fs::exists(fs::symlink_status(absl::StrCat(behind, ".", number), error))) ++number;
  const std::string earlier_run = absl::StrCat(behind, ".", number);
  fs::rename(behind, earlier_run, error);
  if (error) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, " holds an earlier run and cannot be renamed to ", earlier_run, ": ", error.message(),
        "; give a folder in it or another one as --out_dir, such as ", path, "/2"));
  }
  return earlier_run;
}

}  // namespace

absl::StatusOr<RunDirectory> RunDirectory::Create(const std::string& path) {
  return Open(path, /*goes_on=*/false);
}

absl::StatusOr<RunDirectory> RunDirectory::Resume(const std::string& path) {
  return Open(path, /*goes_on=*/true);
}

absl::StatusOr<RunDirectory> RunDirectory::Open(const std::string& path, bool goes_on) {
  const std::string place = WithoutSlashesAtItsEnd(path);
  ASSIGN_OR_RETURN(const std::string behind, FolderBehind(place));
  std::string earlier_run;
  for (;;) {
    ASSIGN_OR_RETURN(Folder folder, MakeAndOpen(place, behind));
    RETURN_IF_ERROR(Look(folder).status());  // before a lock is put into what is not ours
    ASSIGN_OR_RETURN(RunLock lock, RunLock::Take(folder));
    // Another run may have moved it aside before it was locked, and nobody does from here on.
    if (!folder.IsInPlace()) continue;
    ASSIGN_OR_RETURN(const Content content, Look(folder));
    if (content == Content::kEarlierRun && !goes_on) {
      ASSIGN_OR_RETURN(earlier_run, MoveAside(place, behind));
      continue;
    }
    RETURN_IF_ERROR(lock.Sign());
    RunDirectory run(std::move(folder), std::move(lock));
    run.earlier_run_ = std::move(earlier_run);
    run.has_earlier_files_ = content == Content::kEarlierRun;
    return run;
  }
}

absl::Status RunDirectory::WriteJson(absl::string_view name,
                                     const nlohmann::ordered_json& content) const {
  return WriteFileAtomically(File(name), JsonText(content, 2) + "\n");
}

absl::Status RunDirectory::AppendMetric(const nlohmann::ordered_json& metric) const {
  nlohmann::ordered_json line = metric;
  line["time_ms"] = absl::ToUnixMillis(absl::Now());
  return AppendLine(File(kMetricsFileName), JsonText(line));
}

}  // namespace spion
