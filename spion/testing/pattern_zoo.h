// Patterns that tests of sparse attention should pass: the ordinary, the extreme and the real.
#ifndef SPION_TESTING_PATTERN_ZOO_H_
#define SPION_TESTING_PATTERN_ZOO_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/pattern/block_pattern.h"

namespace spion {

struct NamedPattern {
  std::string name;  // letters, digits and underscores: fit for a test's name
  BlockPattern pattern;
};

BlockPattern DiagonalOnly(int blocks_per_side, int block_size);
/// Every block: dense attention.
BlockPattern AllBlocks(int blocks_per_side, int block_size);
/// Blocks at most `width` from the diagonal.
BlockPattern Banded(int blocks_per_side, int block_size, int width);
/// Each block with probability `density`.
BlockPattern RandomBlocks(int blocks_per_side, int block_size, double density, uint64_t seed);
/// A few columns kept in all rows but one: the shape that flood fill makes, and the worst for dK,
/// dV.
BlockPattern LongColumns(int blocks_per_side, int block_size);
/// Every third row keeps all blocks, the others only the diagonal: the most uneven rows.
BlockPattern FullAndBareRows(int blocks_per_side, int block_size);
/// As many blocks in every row: the diagonal, the next column and one half the side away, modulo n.
/// n must be at least 4.
BlockPattern ThreeBlocksARow(int blocks_per_side, int block_size);
/// 24 blocks a side: the diagonal, and of the last seven rows and columns the first 16 blocks.
/// Their diagonal blocks come after 16 others in row and column, and no line is long beside the
/// mean.
BlockPattern LateDiagonals(int block_size);

/// The patterns that SPION-CF found on the image task (seed 1001): 32 x 32 blocks of 32.
BlockPattern ImageCfLayer0();
BlockPattern ImageCfLayer1();

/// One of each of the above that fits any size (so without the two of the image task).
std::vector<NamedPattern> PatternZoo(int blocks_per_side, int block_size, uint64_t seed);

/// Owns the arrays that a BlockPatternView points to.
class PatternArrays {
 public:
  /// One pattern for all heads, or one a head; all of the same size.
  explicit PatternArrays(absl::Span<const BlockPattern> patterns);
  explicit PatternArrays(const BlockPattern& pattern)
      : PatternArrays(absl::MakeConstSpan(&pattern, 1)) {}

  BlockPatternView view() const;

 private:
  int32_t patterns_;
  int32_t blocks_per_side_;
  BlockLines rows_;
  BlockLines columns_;
};

}  // namespace spion

#endif  // SPION_TESTING_PATTERN_ZOO_H_
