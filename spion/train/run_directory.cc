#include "spion/train/run_directory.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "spion/base/file.h"
#include "spion/base/json_text.h"

namespace spion {
namespace {

namespace fs = std::filesystem;

absl::Status FromError(const std::error_code& error, absl::string_view what) {
  return absl::ErrnoToStatus(error.value(), what);
}

}  // namespace

absl::StatusOr<RunDirectory> RunDirectory::Create(const std::string& path) {
  std::error_code error;
  if (fs::exists(path, error) && !fs::is_directory(path, error)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is a file; --out_dir must name a folder, or nothing yet"));
  }
  std::string earlier_run;
  if (fs::exists(path, error) && !fs::is_empty(path, error)) {
    int number = 1;
    while (fs::exists(absl::StrCat(path, ".", number), error)) ++number;
    earlier_run = absl::StrCat(path, ".", number);
    fs::rename(path, earlier_run, error);
    if (error) return FromError(error, absl::StrCat("cannot rename ", path, " to ", earlier_run));
  }
  fs::create_directories(path, error);
  if (error) return FromError(error, absl::StrCat("cannot make the folder ", path));
  return RunDirectory(path, earlier_run);
}

std::string RunDirectory::File(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

absl::Status RunDirectory::WriteJson(absl::string_view name,
                                     const nlohmann::ordered_json& content) const {
  return WriteFileAtomically(File(name), JsonText(content, 2) + "\n");
}

absl::Status RunDirectory::AppendMetric(const nlohmann::ordered_json& metric) const {
  nlohmann::ordered_json line = metric;
  line["time_ms"] = absl::ToUnixMillis(absl::Now());
  return AppendLine(File("metrics.jsonl"), JsonText(line));
}

}  // namespace spion
