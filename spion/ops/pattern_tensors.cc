#include "spion/ops/pattern_tensors.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "spion/kernels/block_sparse/schedule.h"

namespace spion {
namespace {

constexpr int64_t kIntsALine = sizeof(BlockLine) / sizeof(int32_t);

/// Appends one pattern's lines, with offsets that count from the start of all.
void Append(const BlockLines& lines, BlockLines& all) {
  const auto start = static_cast<int32_t>(all.indices.size());
  for (int32_t offset : lines.offsets) all.offsets.push_back(start + offset);
  all.indices.insert(all.indices.end(), lines.indices.begin(), lines.indices.end());
}

BlockLinesView LastOf(const BlockLines& all, size_t offsets) {
  return {absl::MakeConstSpan(all.offsets).last(offsets), all.indices};
}

/// A pattern that keeps nothing has one index that nobody reads: no null pointers.
at::Tensor IntTensor(std::vector<int32_t> values, c10::Device device) {
  if (values.empty()) values.push_back(0);
  return at::tensor(values, at::kInt).to(device);
}

at::Tensor LineTensor(const std::vector<BlockLine>& lines, c10::Device device) {
  at::Tensor host = at::empty({static_cast<int64_t>(lines.size()), kIntsALine}, at::kInt);
  std::memcpy(host.mutable_data_ptr(), lines.data(), lines.size() * sizeof(BlockLine));
  return host.to(device);
}

}  // namespace

PatternTensors ToTensors(const BlockPattern& pattern, c10::Device device) {
  return ToTensors(absl::MakeConstSpan(&pattern, 1), device);
}

PatternTensors ToTensors(absl::Span<const BlockPattern> patterns, c10::Device device) {
  TORCH_CHECK(!patterns.empty(), "a block-sparse operator needs at least one pattern");
  std::vector<BlockLines> rows;
  std::vector<BlockLines> columns;
  for (const BlockPattern& pattern : patterns) {
    TORCH_CHECK(pattern.blocks_per_side() == patterns[0].blocks_per_side() &&
                    pattern.block_size() == patterns[0].block_size(),
                "the patterns of one operator must have one size; got ", pattern.blocks_per_side(),
                " blocks of ", pattern.block_size(), " beside ", patterns[0].blocks_per_side(),
                " blocks of ", patterns[0].block_size());
    rows.push_back(pattern.rows());
    columns.push_back(pattern.columns());
  }
  return ToTensors(rows, columns, patterns[0].block_size(), device);
}

PatternTensors ToTensors(absl::Span<const BlockLines> rows, absl::Span<const BlockLines> columns,
                         int64_t block_size, c10::Device device) {
  BlockLines all_rows;
  BlockLines all_columns;
  BlockSchedule schedule;
  int64_t kept = 0;
  for (const BlockLines& pattern : rows) kept += static_cast<int64_t>(pattern.indices.size());
  TORCH_CHECK(kept <= std::numeric_limits<int32_t>::max(), rows.size(), " patterns keep ", kept,
              " blocks; one operator takes at most ", std::numeric_limits<int32_t>::max(),
              " in all: give one pattern for all heads, or split the heads");
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
  return {.row_offsets = IntTensor(all_rows.offsets, device),
          .row_columns = IntTensor(all_rows.indices, device),
          .column_offsets = IntTensor(all_columns.offsets, device),
          .column_rows = IntTensor(all_columns.indices, device),
          .row_schedule = LineTensor(schedule.rows, device),
          .line_schedule = LineTensor(schedule.lines, device),
          .long_rows = schedule.long_rows,
          .long_lines = schedule.long_lines,
          .block_size = block_size,
          .kept_blocks = static_cast<int64_t>(all_rows.indices.size())};
}

}  // namespace spion
