// Reads JSON that somebody else may have written.
//
//   ASSIGN_OR_RETURN(const nlohmann::json header, ParseJson(text));
#ifndef SPION_BASE_JSON_H_
#define SPION_BASE_JSON_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace spion {

/// Values lie in each other no deeper than this; files of this program, 5 deep. Whoever walks the
/// value by recursion needs a bound.
inline constexpr int kDeepestJson = 64;

/// Values in one text, keys not counted; files of this program, two million at most. A value takes
/// many times the memory of its shortest text.
inline constexpr int64_t kMostJsonValues = int64_t{1} << 22;

/// Errors: InvalidArgument "not JSON from byte N on", or that it is nested too deeply or has too
/// many values.
absl::StatusOr<nlohmann::json> ParseJson(absl::string_view text);

}  // namespace spion

#endif  // SPION_BASE_JSON_H_
