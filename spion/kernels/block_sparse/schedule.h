// In which order a GPU takes up the rows and columns of a pattern, and which of them it shares
// between warps: real patterns have columns of 30 blocks beside columns of one, and the long ones
// must neither come last nor be one warp's work.
//
//   BlockSchedule schedule = MakeSchedule(rows, columns);   // block CSR, block CSC of one pattern
//
// Made on the host when a pattern is put into use; host code without CUDA.
#ifndef SPION_KERNELS_BLOCK_SPARSE_SCHEDULE_H_
#define SPION_KERNELS_BLOCK_SPARSE_SCHEDULE_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "spion/kernels/block_sparse/problem.h"

namespace spion {

/// One compressed view of a pattern; offsets count from the start of `indices`.
struct BlockLinesView {
  absl::Span<const int32_t> offsets;  // [n + 1]
  absl::Span<const int32_t> indices;
};

struct BlockSchedule {
  std::vector<BlockLine> rows;   // [n], the longest first
  std::vector<BlockLine> lines;  // [n][2]: row i and column i, by the longer of the two
  int32_t long_rows = 0;
  int32_t long_lines = 0;
};

/// A line is long if it keeps more than three times the mean and more than 8 blocks: dividing it
/// then gains more than joining the parts costs.
BlockSchedule MakeSchedule(const BlockLinesView& rows, const BlockLinesView& columns);

}  // namespace spion

#endif  // SPION_KERNELS_BLOCK_SPARSE_SCHEDULE_H_
