#include "spion/pattern/patterns_file.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "spion/base/json.h"
#include "spion/base/read_file.h"
#include "spion/base/sha256.h"
#include "spion/base/status.h"
#include "spion/pattern/pattern_json.h"

namespace spion {

absl::StatusOr<PatternsFile> ReadPatternsFile(const std::string& path) {
  absl::StatusOr<std::string> text = ReadFile(path);
  if (absl::IsNotFound(text.status())) {
    return absl::NotFoundError(
        absl::StrCat(text.status().message(),
                     "; a run of SPION writes patterns.json when its sparse phase begins"));
  }
  RETURN_IF_ERROR(text.status());
  const absl::StatusOr<nlohmann::json> json = ParseJson(*text);
  if (!json.ok()) {
    return absl::DataLossError(
        absl::StrCat(path, " is ", json.status().message(), "; give the patterns.json of a run"));
  }
  if (!json->is_object() || !json->contains("layers") || !json->at("layers").is_array()) {
    return absl::DataLossError(
        absl::StrCat(path, " has no list \"layers\"; give the patterns.json of a run"));
  }
  if (json->at("layers").empty()) {
    return absl::DataLossError(
        absl::StrCat(path, ": its list \"layers\" is empty; expected a pattern for each layer"));
  }
  absl::StatusOr<std::vector<BlockPattern>> layers = PatternsFromJson(json->at("layers"));
  if (!layers.ok()) {
    return absl::DataLossError(absl::StrCat(path, ": ", layers.status().message()));
  }
  return PatternsFile{.path = path, .sha256 = Sha256OfBytes(*text), .layers = *std::move(layers)};
}

}  // namespace spion
