// The block patterns that other methods fix before training: the same for every input.
//
//   ASSIGN_OR_RETURN(BlockPattern pattern, LongformerPattern(/*length=*/2048, {.window = 1,
//                                                                              .global = 1}));
//
// None is causal: our models look both ways, so windows reach to both sides. Blocks i and j are
// |i - j| apart. All errors are InvalidArgument: a block size that does not divide the length, or
// a value below its least.
#ifndef BASELINES_FIXED_PATTERN_PATTERNS_H_
#define BASELINES_FIXED_PATTERN_PATTERNS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "spion/pattern/block_pattern.h"

namespace spion {

struct LongformerOptions {
  int block_size = 16;
  int window = 1;  // blocks to each side; >= 0
  int global = 1;  // the first so many blocks see all and are seen by all; >= 0
};
/// Sliding window and global blocks. Source: Beltagy et al., arXiv 2004.05150.
absl::StatusOr<BlockPattern> LongformerPattern(int64_t length, const LongformerOptions& options);

struct BigBirdOptions {
  int block_size = 64;
  int random = 3;  // blocks drawn for each row; >= 0
  uint64_t seed = 0;
};
/// The block and its two neighbours; the first and the last block see all and are seen by all; and
/// in every other row `random` more blocks, drawn from those that the row does not see yet (all of
/// them, if there are no more). Source: Zaheer et al., arXiv 2007.14062.
absl::StatusOr<BlockPattern> BigBirdPattern(int64_t length, const BigBirdOptions& options);

struct SparseTransformerOptions {
  int block_size = 16;
  int stride = 1;  // in blocks; >= 1
};
/// The square root of the length, in whole blocks (nearest, at least 1).
int SquareRootStride(int64_t length, int block_size);

/// Blocks closer than the stride, and those a multiple of it apart. Source: Child et al.,
/// arXiv 1904.10509, strided attention.
absl::StatusOr<BlockPattern> StridedPattern(int64_t length,
                                            const SparseTransformerOptions& options);

/// All pairs within each run of `stride` blocks, and the last block of every run, which all see.
/// Source: the same, fixed attention.
absl::StatusOr<BlockPattern> FixedPattern(int64_t length, const SparseTransformerOptions& options);

}  // namespace spion

#endif  // BASELINES_FIXED_PATTERN_PATTERNS_H_
