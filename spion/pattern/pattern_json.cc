#include "spion/pattern/pattern_json.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "spion/base/status.h"

namespace spion {
namespace {

// get<int32_t>() would round and wrap.
absl::StatusOr<int32_t> WholeNumber(const nlohmann::json& json) {
  if (json.is_number_integer()) {
    const int64_t number = json.get<int64_t>();
    if (number >= 0 && number <= std::numeric_limits<int32_t>::max()) {
      return static_cast<int32_t>(number);
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("not a block pattern: ", json.dump().substr(0, 40),
                   " where a whole number from 0 to 2^31 - 1 was expected"));
}

absl::StatusOr<std::vector<Block>> BlocksOf(const nlohmann::json& rows) {
  std::vector<Block> blocks;
  for (size_t row = 0; row < rows.size(); ++row) {
    if (!rows[row].is_array()) {
      return absl::InvalidArgumentError(
          absl::StrCat("not a block pattern: row ", row, " is no list of columns"));
    }
    std::vector<int32_t> columns;
    for (const nlohmann::json& entry : rows[row]) {
      ASSIGN_OR_RETURN(const int32_t column, WholeNumber(entry));
      columns.push_back(column);
      blocks.push_back({static_cast<int32_t>(row), column});
    }
    std::sort(columns.begin(), columns.end());
    const auto twice = std::adjacent_find(columns.begin(), columns.end());
    if (twice != columns.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "a damaged pattern: row ", row, " has the column ", *twice, " more than once"));
    }
  }
  return blocks;
}

}  // namespace

nlohmann::json PatternToJson(const BlockPattern& pattern) {
  nlohmann::json rows = nlohmann::json::array();
  for (int row = 0; row < pattern.blocks_per_side(); ++row) {
    const auto columns = pattern.columns_of_row(row);
    rows.push_back(std::vector<int32_t>(columns.begin(), columns.end()));
  }
  return {{"block_size", pattern.block_size()},
          {"blocks_per_side", pattern.blocks_per_side()},
          {"kept_blocks", pattern.kept_blocks()},
          {"columns_of_row", rows}};
}

absl::StatusOr<BlockPattern> PatternFromJson(const nlohmann::json& json) {
  try {
    const nlohmann::json& rows = json.at("columns_of_row");
    ASSIGN_OR_RETURN(const int32_t blocks_per_side, WholeNumber(json.at("blocks_per_side")));
    ASSIGN_OR_RETURN(const int32_t block_size, WholeNumber(json.at("block_size")));
    ASSIGN_OR_RETURN(const int32_t kept_blocks, WholeNumber(json.at("kept_blocks")));
    if (!rows.is_array() || rows.size() != static_cast<size_t>(blocks_per_side)) {
      return absl::InvalidArgumentError(absl::StrCat("not a block pattern: a list of ", rows.size(),
                                                     " rows, not of ", blocks_per_side));
    }
    ASSIGN_OR_RETURN(const std::vector<Block> blocks, BlocksOf(rows));
    ASSIGN_OR_RETURN(BlockPattern pattern,
                     BlockPattern::FromBlocks(blocks_per_side, block_size, blocks));
    if (pattern.kept_blocks() != kept_blocks) {
      return absl::InvalidArgumentError(
          absl::StrCat("a damaged pattern: kept_blocks is ", kept_blocks,
                       ", but its rows and the diagonal keep ", pattern.kept_blocks()));
    }
    return pattern;
  } catch (const nlohmann::json::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat("not a block pattern: ", error.what()));
  }
}

}  // namespace spion
