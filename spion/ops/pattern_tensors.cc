#include "spion/ops/pattern_tensors.h"

#include <ATen/ops/tensor.h>

#include <string>
#include <vector>

namespace spion {

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
  const absl::StatusOr<PackedPattern> packed = PackPattern(rows, columns);
  TORCH_CHECK(packed.ok(), std::string(packed.status().message()));
  return {.packed = at::tensor(packed->values, at::kInt).to(device),
          .shape = packed->shape,
          .block_size = block_size,
          .kept_blocks = packed->kept_blocks};
}

}  // namespace spion
