// A BlockPattern as the tensors that the block-sparse operators read, on one device.
//
//   PatternTensors pattern = ToTensors(block_pattern, q.device());
//   at::Tensor out = BlockSparseAttention(q, k, v, pattern, /*padding=*/{}, PrunedScore::kZero);
#ifndef SPION_OPS_PATTERN_TENSORS_H_
#define SPION_OPS_PATTERN_TENSORS_H_

#include <ATen/core/Tensor.h>

#include "absl/types/span.h"
#include "spion/pattern/block_pattern.h"

namespace spion {

/// Block CSR and block CSC, int32, laid out as BlockPatternView says.
struct PatternTensors {
  at::Tensor row_offsets;     // [patterns * (n + 1)]
  at::Tensor row_columns;     // [kept]
  at::Tensor column_offsets;  // [patterns * (n + 1)]
  at::Tensor column_rows;     // [kept]
  int64_t block_size = 0;
  int64_t kept_blocks = 0;  // over all patterns
};

/// One pattern for all heads.
PatternTensors ToTensors(const BlockPattern& pattern, c10::Device device);

/// One pattern a head, all of the same size. Throws c10::Error if they differ or there are none.
PatternTensors ToTensors(absl::Span<const BlockPattern> patterns, c10::Device device);

}  // namespace spion

#endif  // SPION_OPS_PATTERN_TENSORS_H_
