// JSON as text for files: valid whatever was put into it.
#ifndef SPION_BASE_JSON_TEXT_H_
#define SPION_BASE_JSON_TEXT_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace spion {

/// On one line, or with `indent` spaces a level. Bytes of strings and of keys that are not UTF-8
/// are written as %XX (spion/base/utf8.h).
std::string JsonText(const nlohmann::ordered_json& json, int indent = -1);

}  // namespace spion

#endif  // SPION_BASE_JSON_TEXT_H_
