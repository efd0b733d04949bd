// The folder of one run: results/<task>_<method>_seed<seed> unless the user says otherwise. It is
// this run's alone while the run lasts (run_lock.h), and stays so if somebody renames it.
//
//   ASSIGN_OR_RETURN(const RunDirectory run, RunDirectory::Create("results/image_cf_seed1001"));
//   RETURN_IF_ERROR(run.WriteJson(kManifestFileName, manifest));
//   RETURN_IF_ERROR(run.AppendMetric({{"step", 10}, {"loss", 2.1}}));
//
// An earlier run that stands there is not overwritten: its folder is renamed to <folder>.1, .2, ...
// Nothing else is ever renamed: a folder is an earlier run's if it has the mark of one, its
// run.lock or, before there was such a file, its manifest.json, and no folder in it.
#ifndef SPION_RUN_RUN_DIRECTORY_H_
#define SPION_RUN_RUN_DIRECTORY_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "spion/base/folder.h"
#include "spion/run/mllog.h"
#include "spion/run/run_lock.h"

namespace spion {

/// Of the settings, when a run begins; of the results, when it has ended; of a checkpoint's.
inline constexpr char kManifestFileName[] = "manifest.json";
inline constexpr char kSummaryFileName[] = "summary.json";
inline constexpr char kEvaluationFileName[] = "evaluation.json";
inline constexpr char kMetricsFileName[] = "metrics.jsonl";
inline constexpr char kMlLogFileName[] = "mllog.txt";

class RunDirectory {
 public:
  /// Makes the folder and its parents, or takes an empty one (lost+found does not count) as it is;
  /// `path` may end in slashes, and be a symbolic link to a folder, which it then stays.
  /// Errors, after which all is as it was: FailedPrecondition if a run that goes on has the folder
  /// (naming its host and process), if it holds what is no run's, if an earlier run cannot be
  /// renamed, if a file or a link that leads nowhere is in the way; the system's, naming the
  /// folder.
  static absl::StatusOr<RunDirectory> Create(const std::string& path);

  /// The same, but an earlier run that stands there is not moved: its folder is opened to go on
  /// with it, and has_earlier_files() holds.
  static absl::StatusOr<RunDirectory> Resume(const std::string& path);

  /// As it was given, without slashes at its end.
  const std::string& path() const { return folder_.path(); }
  FilePlace File(absl::string_view name) const { return folder_.File(name); }
  bool has_earlier_files() const { return has_earlier_files_; }
  /// Where Create put an earlier run; empty if there was none.
  const std::string& earlier_run() const { return earlier_run_; }

  /// Written whole or not at all, indented.
  absl::Status WriteJson(absl::string_view name, const nlohmann::ordered_json& content) const;
  /// One line at the end of metrics.jsonl, with the time_ms since 1970 besides.
  absl::Status AppendMetric(const nlohmann::ordered_json& metric) const;
  /// The run's log in MLPerf's format, mllog.txt.
  MlLog ml_log() const { return MlLog(File(kMlLogFileName)); }

 private:
  RunDirectory(Folder folder, RunLock lock) : folder_(std::move(folder)), lock_(std::move(lock)) {}
  static absl::StatusOr<RunDirectory> Open(const std::string& path, bool goes_on);

  Folder folder_;
  RunLock lock_;
  std::string earlier_run_;
  bool has_earlier_files_ = false;
};

}  // namespace spion

#endif  // SPION_RUN_RUN_DIRECTORY_H_
