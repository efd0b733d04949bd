// mllog.txt of a run: what happened when, in the format of MLPerf's logs, one event a line.
//
//   const MlLog log(run.File("mllog.txt"));
//   RETURN_IF_ERROR(log.Start("run_start", {{"samples_count", 0}}));
//   RETURN_IF_ERROR(log.Point("train_loss", 2.1, {{"samples_count", 640}}));
//
// Every line is in the file when the call returns, so a log of a killed run ends where it was.
// Keys are MLPerf's where it has one (mlperf_logging.mllog.constants). Metadata gets the place in
// the source that wrote the event.
#ifndef SPION_RUN_MLLOG_H_
#define SPION_RUN_MLLOG_H_

#include <nlohmann/json.hpp>
#include <source_location>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "spion/base/folder.h"

namespace spion {

class MlLog {
 public:
  using Json = nlohmann::ordered_json;

  /// Writes at the end of the file; an absent one begins with the first event. Errors of all calls:
  /// the system's, naming the file.
  explicit MlLog(FilePlace file) : file_(std::move(file)) {}

  /// POINT_IN_TIME. `metadata` is an object.
  absl::Status Point(absl::string_view key, const Json& value,
                     const Json& metadata = Json::object(),
                     std::source_location place = std::source_location::current()) const;

  /// INTERVAL_START, of an interval that began at `time`; `key` is its <name>_start.
  absl::Status Start(absl::string_view key, const Json& metadata = Json::object(),
                     absl::Time time = absl::Now(),
                     std::source_location place = std::source_location::current()) const;

  /// INTERVAL_END; `key` is the interval's <name>_stop.
  absl::Status Stop(absl::string_view key, const Json& metadata = Json::object(),
                    std::source_location place = std::source_location::current()) const;

 private:
  absl::Status Write(absl::string_view event_type, absl::string_view key, const Json& value,
                     const Json& metadata, absl::Time time, std::source_location place) const;

  FilePlace file_;
};

}  // namespace spion

#endif  // SPION_RUN_MLLOG_H_
