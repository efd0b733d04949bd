// Top blocks: the k blocks with the highest scores (SPION-C).
//
//   BlockScores scores{2, {0.1, 0.7,
//                          0.7, 0.9}};
//   TopBlocks(scores, 2);                          // (1, 1), (0, 1)
//
// Equal scores: the block that comes first row by row wins, so the choice is the same everywhere.
// Source: SPION-C, arXiv 2309.12578.
#ifndef SPION_PATTERN_TOP_BLOCKS_H_
#define SPION_PATTERN_TOP_BLOCKS_H_

#include <cstdint>
#include <vector>

#include "spion/pattern/block_pattern.h"
#include "spion/pattern/block_scores.h"

namespace spion {

/// Highest score first; none if k <= 0, all if k >= n * n. The scores must not be NaN.
std::vector<Block> TopBlocks(const BlockScores& scores, int64_t k);

}  // namespace spion

#endif  // SPION_PATTERN_TOP_BLOCKS_H_
