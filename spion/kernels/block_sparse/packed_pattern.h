// A pattern, or one a head, as a single vector of int32: one buffer to move to a device, to hold
// still for a CUDA graph, and to hand to an operator as a plain tensor.
//
//   ASSIGN_OR_RETURN(PackedPattern packed, PackPattern(rows, columns));   // block CSR, block CSC
//   ... values to a device ...
//   ASSIGN_OR_RETURN(BlockPatternView view, ViewOfPacked(device_pointer, count, shape));
//
// With P patterns of n blocks a side, and room for K kept blocks of all together, in this order, so
// that what is read in pieces of 16 bytes is aligned to them:
//
//   row schedule 4 P n | line schedule 8 P n | row offsets P (n + 1) | column offsets P (n + 1)
//   | row columns K | column rows K
#ifndef SPION_KERNELS_BLOCK_SPARSE_PACKED_PATTERN_H_
#define SPION_KERNELS_BLOCK_SPARSE_PACKED_PATTERN_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/pattern/block_pattern.h"

namespace spion {

/// What has to be known of a packed pattern besides its values.
struct PackedPatternShape {
  int64_t patterns = 0;
  int64_t blocks_per_side = 0;
  int64_t long_rows = 0;   // of the schedule, one number for all patterns
  int64_t long_lines = 0;  // likewise
};

struct PackedPattern {
  std::vector<int32_t> values;
  PackedPatternShape shape;
  int64_t kept_blocks = 0;  // over all patterns
};

/// For how many blocks a packed pattern has room.
enum class PackedRoom {
  kExact,       // those that are kept
  kPowerOfTwo,  // the next power of two, so that the patterns of many layers have few sizes: each
                // size is a graph to a compiler
};

/// From the rows and columns of each pattern; lines may be empty. That rows and columns hold the
/// same blocks is not checked, only that they are as many.
/// Errors: InvalidArgument if there is no pattern, rows or columns are of different sizes or
/// counts, or patterns keep more than 2^31 - 1 blocks in all.
absl::StatusOr<PackedPattern> PackPattern(absl::Span<const BlockLines> rows,
                                          absl::Span<const BlockLines> columns,
                                          PackedRoom room = PackedRoom::kExact);

/// The parts of `count` packed values, which are not read: they may be a GPU's.
/// Errors: InvalidArgument if so many values are no pattern of that shape.
absl::StatusOr<BlockPatternView> ViewOfPacked(const int32_t* values, int64_t count,
                                              const PackedPatternShape& shape);

}  // namespace spion

#endif  // SPION_KERNELS_BLOCK_SPARSE_PACKED_PATTERN_H_
