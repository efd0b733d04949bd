#include "spion/base/json.h"

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace spion {

using Json = nlohmann::json;

absl::StatusOr<Json> ParseJson(absl::string_view text) {
  bool is_too_deep = false;
  // Called for each value with the number of values around it; what it refuses is not kept.
  const auto keep = [&](int depth, Json::parse_event_t /*event*/, Json& /*value*/) {
    is_too_deep = is_too_deep || depth > kDeepestJson;
    return !is_too_deep;
  };
  try {
    Json value = Json::parse(text, keep);
    if (!is_too_deep) return value;
  } catch (const Json::parse_error& error) {
    if (!is_too_deep) {
      return absl::InvalidArgumentError(absl::StrCat("not JSON from byte ", error.byte, " on"));
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "JSON whose lists and objects lie in each other more than ", kDeepestJson, " deep"));
}

}  // namespace spion
