#include "spion/pattern/pattern_json.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "spion/base/json_text.h"
#include "spion/base/status.h"

namespace spion {
namespace {

constexpr char kBlockSize[] = "block_size";
constexpr char kBlocksPerSide[] = "blocks_per_side";
constexpr char kKeptBlocks[] = "kept_blocks";
constexpr char kColumnsOfRow[] = "columns_of_row";

constexpr char kMembers[] = "block_size, blocks_per_side, kept_blocks and columns_of_row";

absl::Status NotAPattern(absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("not a block pattern: ", why));
}

// The beginning of it, for messages.
std::string Shown(const nlohmann::json& json) { return JsonText(json).substr(0, 40); }

absl::Status CheckMembers(const nlohmann::json& json) {
  if (!json.is_object()) {
    return NotAPattern(absl::StrCat(Shown(json), " where an object was expected, with ", kMembers));
  }
  for (const char* name : {kBlockSize, kBlocksPerSide, kKeptBlocks, kColumnsOfRow}) {
    if (!json.contains(name)) {
      return NotAPattern(absl::StrCat("it has no \"", name, "\"; expected ", kMembers));
    }
  }
  return absl::OkStatus();
}

// get<int32_t>() would round and wrap. `what` is where the number stands.
absl::StatusOr<int32_t> WholeNumber(const nlohmann::json& json, absl::string_view what) {
  if (json.is_number_integer()) {
    const int64_t number = json.get<int64_t>();
    if (number >= 0 && number <= std::numeric_limits<int32_t>::max()) {
      return static_cast<int32_t>(number);
    }
  }
  return NotAPattern(absl::StrCat(what, ": ", Shown(json),
                                  " where a whole number from 0 to 2^31 - 1 was expected"));
}

absl::StatusOr<std::vector<Block>> BlocksOf(const nlohmann::json& rows) {
  std::vector<Block> blocks;
  for (size_t row = 0; row < rows.size(); ++row) {
    if (!rows[row].is_array()) {
      return NotAPattern(absl::StrCat("row ", row, " is no list of columns"));
    }
    std::vector<int32_t> columns;
    for (const nlohmann::json& entry : rows[row]) {
      ASSIGN_OR_RETURN(const int32_t column, WholeNumber(entry, absl::StrCat("row ", row)));
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
  return {{kBlockSize, pattern.block_size()},
          {kBlocksPerSide, pattern.blocks_per_side()},
          {kKeptBlocks, pattern.kept_blocks()},
          {kColumnsOfRow, rows}};
}

absl::StatusOr<BlockPattern> PatternFromJson(const nlohmann::json& json) {
  RETURN_IF_ERROR(CheckMembers(json));
  const auto number = [&](const char* name) {
    return WholeNumber(json[name], absl::StrCat("\"", name, "\""));
  };
  ASSIGN_OR_RETURN(const int32_t blocks_per_side, number(kBlocksPerSide));
  ASSIGN_OR_RETURN(const int32_t block_size, number(kBlockSize));
  ASSIGN_OR_RETURN(const int32_t kept_blocks, number(kKeptBlocks));
  const nlohmann::json& rows = json[kColumnsOfRow];
  if (!rows.is_array()) {
    return NotAPattern(absl::StrCat("\"", kColumnsOfRow, "\" is no list of rows"));
  }
  if (rows.size() != static_cast<size_t>(blocks_per_side)) {
    return NotAPattern(absl::StrCat("a list of ", rows.size(), " rows, not of ", blocks_per_side));
  }
  ASSIGN_OR_RETURN(const std::vector<Block> blocks, BlocksOf(rows));
  ASSIGN_OR_RETURN(BlockPattern pattern,
                   BlockPattern::FromBlocks(blocks_per_side, block_size, blocks));
  if (pattern.kept_blocks() != kept_blocks) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a damaged pattern: ", kKeptBlocks, " is ", kept_blocks,
        ", but its rows and the diagonal, which counts whether rows list it or not, keep ",
        pattern.kept_blocks()));
  }
  return pattern;
}

nlohmann::json PatternsToJson(absl::Span<const BlockPattern> layers) {
  nlohmann::json list = nlohmann::json::array();
  for (const BlockPattern& pattern : layers) list.push_back(PatternToJson(pattern));
  return list;
}

absl::StatusOr<std::vector<BlockPattern>> PatternsFromJson(const nlohmann::json& json) {
  if (!json.is_array()) {
    return absl::InvalidArgumentError(
        absl::StrCat("not a list of block patterns, one for each layer: ", Shown(json)));
  }
  std::vector<BlockPattern> layers;
  layers.reserve(json.size());
  for (const nlohmann::json& layer : json) {
    absl::StatusOr<BlockPattern> pattern = PatternFromJson(layer);
    if (!pattern.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("layer ", layers.size(), ": ", pattern.status().message()));
    }
    layers.push_back(*std::move(pattern));
  }
  return layers;
}

}  // namespace spion
