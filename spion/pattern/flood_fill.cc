#include "spion/pattern/flood_fill.h"

namespace spion {
namespace {

// Where a walk at (x, y) moves to.
Block Next(const BlockScores& scores, Block at) {
  const bool last_row = at.row + 1 == scores.side;
  const bool last_column = at.column + 1 == scores.side;
  const double down = last_row ? 0.0 : scores.at(at.row + 1, at.column);
  const double right = last_column ? 0.0 : scores.at(at.row, at.column + 1);
  const double diagonal = last_row || last_column ? 0.0 : scores.at(at.row + 1, at.column + 1);
  if (down > right) {
    if (down > diagonal) return {at.row + 1, at.column};
  } else {
    if (right > diagonal) return {at.row, at.column + 1};
  }
  return {at.row + 1, at.column + 1};
}

}  // namespace

std::vector<uint8_t> FloodFill(const BlockScores& scores, double threshold) {
  return FloodFill(scores, threshold, [](Block, Block) {});
}

std::vector<uint8_t> FloodFill(const BlockScores& scores, double threshold,
                               absl::FunctionRef<void(Block from, Block to)> visit) {
  const int n = scores.side;
  std::vector<uint8_t> marked(scores.values.size(), 0);
  std::vector<uint8_t> visited(scores.values.size(), 0);
  const auto walk = [&](Block at) {
    // The way on depends on the block alone, so a walk ends where another has been.
    while (at.row < n && at.column < n) {
      const int64_t index = int64_t{at.row} * n + at.column;
      if (visited[index] != 0) return;
      visited[index] = 1;
      const Block next = Next(scores, at);
      visit(at, next);
      at = next;
      if (at.row < n && at.column < n && scores.at(at.row, at.column) > threshold) {
        marked[int64_t{at.row} * n + at.column] = 1;
      }
    }
  };
  for (int k = 0; k < n; ++k) walk({0, k});
  for (int k = 0; k < n; ++k) walk({k, 0});
  return marked;
}

}  // namespace spion
