#include "spion/train/pattern_json.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"

namespace spion {

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
    std::vector<Block> blocks;
    int32_t row = 0;
    for (const auto& columns : json.at("columns_of_row")) {
      for (const auto& column : columns) blocks.push_back({row, column.get<int32_t>()});
      ++row;
    }
    if (row != json.at("blocks_per_side").get<int32_t>()) {
      return absl::InvalidArgumentError(
          absl::StrCat("a pattern of ", row, " rows, not of ", json.at("blocks_per_side").dump()));
    }
    return BlockPattern::FromBlocks(row, json.at("block_size").get<int>(), blocks);
  } catch (const nlohmann::json::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat("not a block pattern: ", error.what()));
  }
}

}  // namespace spion
