// Block patterns as the operators take them: packed into one tensor.
//
//   PatternTensors tensors = ToTensors(pattern, q.device());   // once, at the transition
//   at::Tensor out = BlockSparseAttention(q, k, v, tensors, padding, PrunedScore::kZero);
#ifndef SPION_OPS_PATTERN_TENSORS_H_
#define SPION_OPS_PATTERN_TENSORS_H_

#include <ATen/core/Tensor.h>

#include "absl/types/span.h"
#include "spion/kernels/block_sparse/packed_pattern.h"
#include "spion/pattern/block_pattern.h"

namespace spion {

/// One pattern for all heads, or one a head.
struct PatternTensors {
  at::Tensor packed;  // int32 on the device, as spion/kernels/block_sparse/packed_pattern.h says
  PackedPatternShape shape;
  int64_t block_size = 0;
  int64_t kept_blocks = 0;  // over all patterns
  int64_t layer = -1;       // whose pattern this is, for profiles
};

/// One pattern for all heads.
PatternTensors ToTensors(const BlockPattern& pattern, c10::Device device);

/// One pattern a head, all of the same size. Throws c10::Error if they differ or there are none.
PatternTensors ToTensors(absl::Span<const BlockPattern> patterns, c10::Device device);

/// The same from the rows and columns themselves, one of each a pattern; lines may be empty, which
/// those of a BlockPattern never are. Rows and columns must hold the same blocks, of which their
/// number alone is checked. Throws c10::Error if sizes or numbers differ or there are none.
PatternTensors ToTensors(absl::Span<const BlockLines> rows, absl::Span<const BlockLines> columns,
                         int64_t block_size, c10::Device device);

}  // namespace spion

#endif  // SPION_OPS_PATTERN_TENSORS_H_
