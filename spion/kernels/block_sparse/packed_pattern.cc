#include "spion/kernels/block_sparse/packed_pattern.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "spion/kernels/block_sparse/schedule.h"

namespace spion {
namespace {

constexpr int64_t kIntsPerLine = sizeof(BlockLine) / sizeof(int32_t);
constexpr int64_t kMost = std::numeric_limits<int32_t>::max();

/// Appends one pattern's lines, with offsets that count from the start of all.
void Append(const BlockLines& lines, BlockLines& all) {
  const auto start = static_cast<int32_t>(all.indices.size());
  for (int32_t offset : lines.offsets) all.offsets.push_back(start + offset);
  all.indices.insert(all.indices.end(), lines.indices.begin(), lines.indices.end());
}

BlockLinesView LastOf(const BlockLines& all, size_t offsets) {
  return {absl::MakeConstSpan(all.offsets).last(offsets), all.indices};
}

void Append(const std::vector<BlockLine>& lines, std::vector<int32_t>& values) {
  const size_t before = values.size();
  values.resize(before + lines.size() * kIntsPerLine);
  if (lines.empty()) return;
  std::memcpy(values.data() + before, lines.data(), lines.size() * sizeof(BlockLine));
}

void Append(const std::vector<int32_t>& numbers, std::vector<int32_t>& values) {
  values.insert(values.end(), numbers.begin(), numbers.end());
}

absl::Status CheckPatterns(absl::Span<const BlockLines> rows,
                           absl::Span<const BlockLines> columns) {
  if (rows.empty()) {
    return absl::InvalidArgumentError("a block-sparse operator needs at least one pattern");
  }
  if (columns.size() != rows.size()) {
    return absl::InvalidArgumentError(absl::StrCat("the columns of ", columns.size(),
                                                   " patterns beside the rows of ", rows.size()));
  }
  const auto blocks = [](const BlockLines& lines) {
    return static_cast<int64_t>(lines.offsets.size()) - 1;
  };
  int64_t kept = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    for (const BlockLines* lines : {&rows[i], &columns[i]}) {
      if (lines->offsets.empty() || blocks(*lines) != blocks(rows[0])) {
        return absl::InvalidArgumentError(
            absl::StrCat("the patterns of one operator must have one size; got ", blocks(*lines),
                         " blocks a side beside ", blocks(rows[0])));
      }
    }
    if (columns[i].indices.size() != rows[i].indices.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("a pattern's columns keep ", columns[i].indices.size(),
                       " blocks and its rows ", rows[i].indices.size()));
    }
    kept += static_cast<int64_t>(rows[i].indices.size());
  }
  if (kept > kMost) {
    return absl::InvalidArgumentError(
        absl::StrCat(rows.size(), " patterns keep ", kept, " blocks; one operator takes at most ",
                     kMost, " in all: give one pattern for all heads, or split the heads"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PackedPattern> PackPattern(absl::Span<const BlockLines> rows,
                                          absl::Span<const BlockLines> columns, PackedRoom room) {
  if (absl::Status status = CheckPatterns(rows, columns); !status.ok()) return status;
  BlockLines all_rows;
  BlockLines all_columns;
  BlockSchedule schedule;
  for (size_t i = 0; i < rows.size(); ++i) {
    Append(rows[i], all_rows);
    Append(columns[i], all_columns);
    const BlockSchedule one = MakeSchedule(LastOf(all_rows, rows[i].offsets.size()),
                                           LastOf(all_columns, columns[i].offsets.size()));
    schedule.rows.insert(schedule.rows.end(), one.rows.begin(), one.rows.end());
    schedule.lines.insert(schedule.lines.end(), one.lines.begin(), one.lines.end());
    // One number for all patterns: sharing a line that is short in some of them is right too.
    schedule.long_rows = std::max(schedule.long_rows, one.long_rows);
    schedule.long_lines = std::max(schedule.long_lines, one.long_lines);
  }
  PackedPattern packed{
      .values = {},
      .shape = {.patterns = static_cast<int64_t>(rows.size()),
                .blocks_per_side = static_cast<int64_t>(rows[0].offsets.size()) - 1,
                .long_rows = schedule.long_rows,
                .long_lines = schedule.long_lines},
      .kept_blocks = static_cast<int64_t>(all_rows.indices.size())};
  Append(schedule.rows, packed.values);
  Append(schedule.lines, packed.values);
  Append(all_rows.offsets, packed.values);
  Append(all_columns.offsets, packed.values);
  if (room == PackedRoom::kPowerOfTwo) {
    const size_t size = std::bit_ceil(all_rows.indices.size());
    all_rows.indices.resize(size);
    all_columns.indices.resize(size);
  }
  Append(all_rows.indices, packed.values);
  Append(all_columns.indices, packed.values);
  return packed;
}

absl::StatusOr<BlockPatternView> ViewOfPacked(const int32_t* values, int64_t count,
                                              const PackedPatternShape& shape) {
  const int64_t patterns = shape.patterns;
  const int64_t n = shape.blocks_per_side;
  // Bounds that keep the products below within 64 bits.
  const bool is_sane = patterns > 0 && patterns <= kMost && n > 0 && n <= kMost / 16;
  const int64_t lines = is_sane ? patterns * n : 0;
  const int64_t offsets = is_sane ? patterns * (n + 1) : 0;
  const int64_t indices = count - 3 * kIntsPerLine * lines - 2 * offsets;
  if (!is_sane || indices < 0 || indices % 2 != 0 || shape.long_rows < 0 || shape.long_rows > n ||
      shape.long_lines < 0 || shape.long_lines > n) {
    return absl::InvalidArgumentError(
        absl::StrCat("the pattern is damaged: ", count, " values are not ", patterns,
                     " patterns of ", n, " blocks a side with ", shape.long_rows, " long rows and ",
                     shape.long_lines, " long lines"));
  }
  const int32_t* row_offsets = values + 3 * kIntsPerLine * lines;
  const int32_t* row_columns = row_offsets + 2 * offsets;
  return BlockPatternView{
      .patterns = static_cast<int32_t>(patterns),
      .blocks_per_side = static_cast<int32_t>(n),
      .room = indices / 2,
      .row_offsets = row_offsets,
      .row_columns = row_columns,
      .column_offsets = row_offsets + offsets,
      .column_rows = row_columns + indices / 2,
      .schedule = {.rows = reinterpret_cast<const BlockLine*>(values),
                   .lines = reinterpret_cast<const BlockLine*>(values + kIntsPerLine * lines),
                   .long_rows = static_cast<int32_t>(shape.long_rows),
                   .long_lines = static_cast<int32_t>(shape.long_lines)}};
}

}  // namespace spion
