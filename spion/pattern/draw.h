// Draw: a BlockPattern as text for a terminal.
//
//   std::cout << Draw(pattern);      // 4 x 4 blocks, diagonal and (0, 3):
//
//   ▀▄·▀
//   ··▀▄
//
// Half-block characters: a text row shows two block rows (▀ upper, ▄ lower, █ both, · neither).
#ifndef SPION_PATTERN_DRAW_H_
#define SPION_PATTERN_DRAW_H_

#include <string>

#include "spion/pattern/block_pattern.h"

namespace spion {

/// The pattern, at most `max_columns` characters wide (below 1 counts as 1), each text row ended by
/// a newline. A larger pattern is reduced by a whole factor: a cell then stands for a square of
/// blocks and shows when any of them is kept.
std::string Draw(const BlockPattern& pattern, int max_columns = 64);

}  // namespace spion

#endif  // SPION_PATTERN_DRAW_H_
