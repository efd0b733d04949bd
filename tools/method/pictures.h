// The pictures of docs/method.md: each step from a layer's attention map to its block pattern, and
// what the sparse phase computes.
#ifndef TOOLS_METHOD_PICTURES_H_
#define TOOLS_METHOD_PICTURES_H_

#include <string>

#include "absl/status/statusor.h"
#include "spion/pattern/block_pattern.h"
#include "spion/pattern/block_scores.h"
#include "tools/pattern/grey_png.h"

namespace spion {

/// Dark is much: a score at the quantile 0.02 or below is white, one at 0.995 or above is black. A
/// block a pixel. Errors: those of Quantile.
absl::StatusOr<GreyImage> DrawScores(const BlockScores& scores);

/// The same as SVG, in 16 shades.
absl::StatusOr<std::string> DrawPooled(const BlockScores& scores);

/// The scores pale, every move of the flood fill as a line, and in colour the blocks that it marks.
absl::StatusOr<std::string> DrawFloodFill(const BlockScores& scores, double threshold);

/// The pattern: kept blocks dark, those of the diagonal in a lighter tone.
std::string DrawKept(const BlockPattern& pattern);

/// One block row of queries in the sparse phase: the keys and values that it meets, and the blocks
/// of scores between them. It is the row that keeps the most.
std::string DrawSparseRow(const BlockPattern& pattern);

}  // namespace spion

#endif  // TOOLS_METHOD_PICTURES_H_
