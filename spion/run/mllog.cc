#include "spion/run/mllog.h"

#include "spion/base/file.h"
#include "spion/base/json_text.h"

namespace spion {

absl::Status MlLog::Point(absl::string_view key, const Json& value, const Json& metadata,
                          std::source_location place) const {
  return Write("POINT_IN_TIME", key, value, metadata, absl::Now(), place);
}

absl::Status MlLog::Start(absl::string_view key, const Json& metadata, absl::Time time,
                          std::source_location place) const {
  return Write("INTERVAL_START", key, nullptr, metadata, time, place);
}

absl::Status MlLog::Stop(absl::string_view key, const Json& metadata,
                         std::source_location place) const {
  return Write("INTERVAL_END", key, nullptr, metadata, absl::Now(), place);
}

absl::Status MlLog::Write(absl::string_view event_type, absl::string_view key, const Json& value,
                          const Json& metadata, absl::Time time, std::source_location place) const {
  Json with_place = {{"file", place.file_name()}, {"lineno", place.line()}};
  with_place.update(metadata);
  const Json event = {{"namespace", ""},
                      {"time_ms", absl::ToUnixMillis(time)},
                      {"event_type", std::string(event_type)},
                      {"key", std::string(key)},
                      {"value", value},
                      {"metadata", with_place}};
  return AppendLine(file_, ":::MLLOG " + JsonText(event));
}

}  // namespace spion
