#include "spion/testing/pattern_zoo.h"

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "absl/types/span.h"
#include "spion/base/random.h"
#include "spion/pattern/block_pattern.h"

namespace spion {
namespace {

/// The pattern that keeps (row, column) where keep(row, column).
template <class Keep>
BlockPattern Where(int n, int block_size, const Keep& keep) {
  std::vector<Block> blocks;
  for (int row = 0; row < n; ++row) {
    for (int column = 0; column < n; ++column) {
      if (keep(row, column)) blocks.push_back({row, column});
    }
  }
  return *BlockPattern::FromBlocks(n, block_size, blocks);
}

void Append(const BlockLines& from, BlockLines& to) {
  const auto base = static_cast<int32_t>(to.indices.size());
  for (const int32_t offset : from.offsets) to.offsets.push_back(base + offset);
  to.indices.insert(to.indices.end(), from.indices.begin(), from.indices.end());
}

}  // namespace

BlockPattern DiagonalOnly(int blocks_per_side, int block_size) {
  return Where(blocks_per_side, block_size, [](int, int) { return false; });
}

BlockPattern AllBlocks(int blocks_per_side, int block_size) {
  return Where(blocks_per_side, block_size, [](int, int) { return true; });
}

BlockPattern Banded(int blocks_per_side, int block_size, int width) {
  return Where(blocks_per_side, block_size,
               [width](int row, int column) { return std::abs(row - column) <= width; });
}

BlockPattern RandomBlocks(int blocks_per_side, int block_size, double density, uint64_t seed) {
  Random random(seed);
  return Where(blocks_per_side, block_size, [&](int, int) { return random.Uniform() < density; });
}

BlockPattern LongColumns(int blocks_per_side, int block_size) {
  const int n = blocks_per_side;
  return Where(n, block_size, [n](int row, int column) {
    return row != n / 2 && (column == n / 4 || column == n - 1);
  });
}

BlockPattern FullAndBareRows(int blocks_per_side, int block_size) {
  return Where(blocks_per_side, block_size, [](int row, int) { return row % 3 == 1; });
}

BlockPattern ThreeBlocksARow(int blocks_per_side, int block_size) {
  std::vector<Block> blocks;
  for (int row = 0; row < blocks_per_side; ++row) {
    for (const int step : {1, blocks_per_side / 2}) {
      blocks.push_back({row, (row + step) % blocks_per_side});
    }
  }
  return *BlockPattern::FromBlocks(blocks_per_side, block_size, blocks);
}

BlockPattern LateDiagonals(int block_size) {
  return Where(24, block_size, [](int row, int column) {
    return (row >= 17 && column < 16) || (column >= 17 && row < 16);
  });
}

BlockPattern ImageCfLayer0() {
  return Where(32, 32, [](int row, int column) {
    if (column == 9) return row == 2 || row == 13 || row == 14 || (row >= 17 && row <= 31);
    if (column == 8) return row == 2 || row == 31;
    return row == 30 && column == 0;
  });
}

BlockPattern ImageCfLayer1() {
  return Where(32, 32, [](int row, int column) {
    return (column == 31 && row >= 1 && row <= 30) || (row == 1 && column == 30);
  });
}

std::vector<NamedPattern> PatternZoo(int blocks_per_side, int block_size, uint64_t seed) {
  const int n = blocks_per_side;
  const int b = block_size;
  return {{"Diagonal", DiagonalOnly(n, b)},   {"AllBlocks", AllBlocks(n, b)},
          {"Banded", Banded(n, b, 1)},        {"Random", RandomBlocks(n, b, 0.3, seed)},
          {"LongColumns", LongColumns(n, b)}, {"FullAndBareRows", FullAndBareRows(n, b)}};
}

PatternArrays::PatternArrays(absl::Span<const BlockPattern> patterns)
    : patterns_(static_cast<int32_t>(patterns.size())),
      blocks_per_side_(patterns.front().blocks_per_side()) {
  for (const BlockPattern& pattern : patterns) {
    Append(pattern.rows(), rows_);
    Append(pattern.columns(), columns_);
  }
}

BlockPatternView PatternArrays::view() const {
  return {.patterns = patterns_,
          .blocks_per_side = blocks_per_side_,
          .room = static_cast<int64_t>(rows_.indices.size()),
          .row_offsets = rows_.offsets.data(),
          .row_columns = rows_.indices.data(),
          .column_offsets = columns_.offsets.data(),
          .column_rows = columns_.indices.data(),
          .schedule = {}};
}

}  // namespace spion
