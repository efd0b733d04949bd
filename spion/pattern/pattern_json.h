// Block patterns as JSON, in checkpoints and in patterns.json:
//
//   {"block_size": 32, "blocks_per_side": 32, "kept_blocks": 34,
//    "columns_of_row": [[0], [1], [2, 8, 9], ...]}
//
// Sizes are in tokens (block_size) and blocks (all else). columns_of_row has a list for each block
// row, of the columns of the blocks that it keeps, in any order and none twice. The diagonal is
// kept always: a row need not list its own column, and kept_blocks counts it all the same. What
// kept_blocks says must be so, by which a file that was damaged or edited in part is seen.
#ifndef SPION_PATTERN_PATTERN_JSON_H_
#define SPION_PATTERN_PATTERN_JSON_H_

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "spion/pattern/block_pattern.h"

namespace spion {

nlohmann::json PatternToJson(const BlockPattern& pattern);

/// Errors: InvalidArgument saying what is missing, out of range or not a whole number, that a row
/// has a column twice, or that kept_blocks is not what the rows and the diagonal keep.
absl::StatusOr<BlockPattern> PatternFromJson(const nlohmann::json& json);

/// A list with the pattern of each layer.
nlohmann::json PatternsToJson(absl::Span<const BlockPattern> layers);

/// Errors as of PatternFromJson, saying in which layer, and InvalidArgument for what is no list.
absl::StatusOr<std::vector<BlockPattern>> PatternsFromJson(const nlohmann::json& json);

}  // namespace spion

#endif  // SPION_PATTERN_PATTERN_JSON_H_
