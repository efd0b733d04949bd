#include "spion/ops/pattern_tensors.h"

#include <ATen/ops/tensor.h>

#include <vector>

namespace spion {
namespace {

struct Lines {
  std::vector<int32_t> offsets;
  std::vector<int32_t> indices;

  void Append(const BlockLines& lines) {
    const auto start = static_cast<int32_t>(indices.size());
    for (int32_t offset : lines.offsets) offsets.push_back(start + offset);
    indices.insert(indices.end(), lines.indices.begin(), lines.indices.end());
  }
};

}  // namespace

PatternTensors ToTensors(const BlockPattern& pattern, c10::Device device) {
  return ToTensors(absl::MakeConstSpan(&pattern, 1), device);
}

PatternTensors ToTensors(absl::Span<const BlockPattern> patterns, c10::Device device) {
  TORCH_CHECK(!patterns.empty(), "a block-sparse operator needs at least one pattern");
  Lines rows;
  Lines columns;
  for (const BlockPattern& pattern : patterns) {
    TORCH_CHECK(pattern.blocks_per_side() == patterns[0].blocks_per_side() &&
                    pattern.block_size() == patterns[0].block_size(),
                "the patterns of one operator must have one size; got ", pattern.blocks_per_side(),
                " blocks of ", pattern.block_size(), " beside ", patterns[0].blocks_per_side(),
                " blocks of ", patterns[0].block_size());
    rows.Append(pattern.rows());
    columns.Append(pattern.columns());
  }
  const auto on_device = [device](const std::vector<int32_t>& values) {
    return at::tensor(values, at::kInt).to(device);
  };
  return {.row_offsets = on_device(rows.offsets),
          .row_columns = on_device(rows.indices),
          .column_offsets = on_device(columns.offsets),
          .column_rows = on_device(columns.indices),
          .block_size = patterns[0].block_size(),
          .kept_blocks = static_cast<int64_t>(rows.indices.size())};
}

}  // namespace spion
