// The folder of one run: results/<task>_<method>_seed<seed> unless the user says otherwise.
//
//   ASSIGN_OR_RETURN(RunDirectory run, RunDirectory::Create("results/image_cf_seed1001"));
//   RETURN_IF_ERROR(run.WriteJson("manifest.json", manifest));
//   RETURN_IF_ERROR(run.AppendMetric({{"step", 10}, {"loss", 2.1}}));
//
// An earlier run that stands there is not overwritten: its folder is renamed to <folder>.1, .2, ...
#ifndef SPION_TRAIN_RUN_DIRECTORY_H_
#define SPION_TRAIN_RUN_DIRECTORY_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "spion/train/mllog.h"

namespace spion {

class RunDirectory {
 public:
  /// Makes the folder, and its parents. Errors: the system's, naming the folder; FailedPrecondition
  /// if a file is in the way.
  static absl::StatusOr<RunDirectory> Create(const std::string& path);

  const std::string& path() const { return path_; }
  std::string File(absl::string_view name) const;
  /// Where Create put an earlier run; empty if there was none.
  const std::string& earlier_run() const { return earlier_run_; }

  /// Written whole or not at all, indented.
  absl::Status WriteJson(absl::string_view name, const nlohmann::ordered_json& content) const;
  /// One line at the end of metrics.jsonl, with the time_ms since 1970 besides.
  absl::Status AppendMetric(const nlohmann::ordered_json& metric) const;
  /// The run's log in MLPerf's format, mllog.txt.
  MlLog ml_log() const { return MlLog(File("mllog.txt")); }

 private:
  RunDirectory(std::string path, std::string earlier_run)
      : path_(std::move(path)), earlier_run_(std::move(earlier_run)) {}

  std::string path_;
  std::string earlier_run_;
};

}  // namespace spion

#endif  // SPION_TRAIN_RUN_DIRECTORY_H_
