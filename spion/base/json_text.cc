#include "spion/base/json_text.h"

#include <nlohmann/json.hpp>

#include "spion/base/utf8.h"

namespace spion {
namespace {

using Json = nlohmann::ordered_json;

Json WithUtf8(const Json& json) {
  if (json.is_string()) return ToUtf8(json.get_ref<const std::string&>());
  Json valid = json;
  if (json.is_array()) {
    for (Json& item : valid) item = WithUtf8(item);
  } else if (json.is_object()) {
    valid = Json::object();
    for (const auto& [key, value] : json.items()) valid[ToUtf8(key)] = WithUtf8(value);
  }
  return valid;
}

}  // namespace

std::string JsonText(const Json& json, int indent) { return WithUtf8(json).dump(indent); }

}  // namespace spion
