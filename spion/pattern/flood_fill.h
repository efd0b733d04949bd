// Flood fill: follows the ridges of the block scores from the upper and the left edge, and marks
// the blocks on them that score above a threshold (SPION-F, SPION-CF).
//
//   BlockScores scores{3, {0, 0, 0,
//                          9, 0, 0,
//                          0, 8, 0}};
//   FloodFill(scores, /*threshold=*/1);            // marks (1, 0) and (2, 1)
//
// A walk starts at every block of the first row and of the first column. At (x, y) it looks at the
// blocks below, to the right and on the diagonal and moves to
//   down > right:  down if down > diagonal, else diagonal;
//   otherwise:     right if right > diagonal, else diagonal;
// and marks the block moved to if its score > threshold. Beyond the last row and column stand
// zeros; a walk that moves there ends, and they are never marked. A start is marked only if some
// walk moves to it. Source: SPION, arXiv 2309.12578.
#ifndef SPION_PATTERN_FLOOD_FILL_H_
#define SPION_PATTERN_FLOOD_FILL_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "spion/pattern/block_pattern.h"
#include "spion/pattern/block_scores.h"

namespace spion {

/// n * n row-major flags, 1 = marked; the main diagonal is not added here. At most n * n moves.
/// The scores must not be NaN.
std::vector<uint8_t> FloodFill(const BlockScores& scores, double threshold);

/// The same, and tells each move in its order; `to` may lie beyond the last row or column.
std::vector<uint8_t> FloodFill(const BlockScores& scores, double threshold,
                               absl::FunctionRef<void(Block from, Block to)> visit);

}  // namespace spion

#endif  // SPION_PATTERN_FLOOD_FILL_H_
