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

/// Block CSR and block CSC, int32, laid out as BlockPatternView says, and the schedule of a GPU.
struct PatternTensors {
  at::Tensor row_offsets;     // [patterns * (n + 1)]
  at::Tensor row_columns;     // [kept]
  at::Tensor column_offsets;  // [patterns * (n + 1)]
  at::Tensor column_rows;     // [kept]
  at::Tensor row_schedule;    // [patterns * n, 4]: BlockLines, as BlockScheduleView says
  at::Tensor line_schedule;   // [patterns * n * 2, 4]
  int64_t long_rows = 0;
  int64_t long_lines = 0;
  int64_t block_size = 0;
  int64_t kept_blocks = 0;  // over all patterns
  int64_t layer = -1;       // whose pattern this is, for profiles
};

/// One pattern for all heads.
PatternTensors ToTensors(const BlockPattern& pattern, c10::Device device);

/// One pattern a head, all of the same size. Throws c10::Error if they differ or there are none.
PatternTensors ToTensors(absl::Span<const BlockPattern> patterns, c10::Device device);

/// The same from the rows and columns themselves, one of each a pattern; lines may be empty, which
/// those of a BlockPattern never are. All must be of one size, and rows and columns must hold the
/// same blocks: not checked.
PatternTensors ToTensors(absl::Span<const BlockLines> rows, absl::Span<const BlockLines> columns,
                         int64_t block_size, c10::Device device);

}  // namespace spion

#endif  // SPION_OPS_PATTERN_TENSORS_H_
