// BlockScores: one number a block of an attention map, what the pattern generators choose by.
//
//   BlockScores scores{/*side=*/2, {0.5, 0.0,
//                                   0.1, 0.4}};
//   scores.at(1, 0);                               // 0.1
//
// M of SPION (arXiv 2309.12578): n x n, row-major.
#ifndef SPION_PATTERN_BLOCK_SCORES_H_
#define SPION_PATTERN_BLOCK_SCORES_H_

#include <cstdint>
#include <vector>

namespace spion {

struct BlockScores {
  int side;                    // n, in blocks
  std::vector<double> values;  // [side, side]

  double at(int row, int column) const { return values[int64_t{row} * side + column]; }
};

}  // namespace spion

#endif  // SPION_PATTERN_BLOCK_SCORES_H_
