#include "spion/kernels/block_sparse/schedule.h"

#include <algorithm>
#include <numeric>

namespace spion {
namespace {

constexpr int32_t kLeastLongBlocks = 8;
constexpr int32_t kLongOverMean = 3;

int32_t Length(const BlockLinesView& view, int32_t line) {
  return view.offsets[line + 1] - view.offsets[line];
}

BlockLine Line(const BlockLinesView& view, int32_t line) {
  const int32_t begin = view.offsets[line];
  const int32_t end = view.offsets[line + 1];
  return {.line = line, .begin = begin, .end = end, .first = begin < end ? view.indices[begin] : 0};
}

/// Positions of `lengths` from the greatest on; equal ones in their order.
std::vector<int32_t> LongestFirst(const std::vector<int32_t>& lengths) {
  std::vector<int32_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return lengths[a] > lengths[b]; });
  return order;
}

int32_t CountLong(const std::vector<int32_t>& lengths, int64_t kept) {
  const auto n = static_cast<int64_t>(lengths.size());
  return static_cast<int32_t>(std::count_if(lengths.begin(), lengths.end(), [&](int64_t length) {
    return length > kLeastLongBlocks && length * n > kLongOverMean * kept;
  }));
}

}  // namespace

BlockSchedule MakeSchedule(const BlockLinesView& rows, const BlockLinesView& columns) {
  const auto n = static_cast<int32_t>(rows.offsets.size()) - 1;
  const int64_t kept = rows.offsets[n] - rows.offsets[0];
  std::vector<int32_t> row_lengths(n);
  std::vector<int32_t> line_lengths(n);
  for (int32_t i = 0; i < n; ++i) {
    row_lengths[i] = Length(rows, i);
    line_lengths[i] = std::max(row_lengths[i], Length(columns, i));
  }
  BlockSchedule schedule;
  for (int32_t i : LongestFirst(row_lengths)) schedule.rows.push_back(Line(rows, i));
  for (int32_t i : LongestFirst(line_lengths)) {
    schedule.lines.push_back(Line(rows, i));
    schedule.lines.push_back(Line(columns, i));
  }
  schedule.long_rows = CountLong(row_lengths, kept);
  schedule.long_lines = CountLong(line_lengths, kept);
  return schedule;
}

}  // namespace spion
