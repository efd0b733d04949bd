// Block patterns as JSON, in checkpoints and in patterns.json:
//
//   {"block_size": 32, "blocks_per_side": 32, "kept_blocks": 34,
//    "columns_of_row": [[0], [1], [2, 8, 9], ...]}
#ifndef SPION_PATTERN_PATTERN_JSON_H_
#define SPION_PATTERN_PATTERN_JSON_H_

#include <nlohmann/json_fwd.hpp>

#include "absl/status/statusor.h"
#include "spion/pattern/block_pattern.h"

namespace spion {

nlohmann::json PatternToJson(const BlockPattern& pattern);

/// Errors: InvalidArgument saying what is missing, out of range or not a whole number, that a row
/// has a column twice, or that kept_blocks is not what the rows keep.
absl::StatusOr<BlockPattern> PatternFromJson(const nlohmann::json& json);

}  // namespace spion

#endif  // SPION_PATTERN_PATTERN_JSON_H_
