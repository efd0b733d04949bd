#include "spion/pattern/shuffled_pattern.h"

#include <cstdint>
#include <unordered_set>
#include <vector>

namespace spion {

// Floyd's sampling (Bentley, "Programming Pearls", 1987), which needs no list of all places: of the
// first `last + 1` places one is drawn; if it is taken already, the last of them, which cannot be,
// is taken instead.
BlockPattern ShuffledPattern(const BlockPattern& pattern, Random& random) {
  const int64_t side = pattern.blocks_per_side();
  const int64_t places = side * (side - 1);
  const int64_t wanted = pattern.kept_blocks() - side;
  std::unordered_set<int64_t> taken;
  std::vector<Block> blocks;
  for (int64_t last = places - wanted; last < places; ++last) {
    auto place = static_cast<int64_t>(random.Below(static_cast<uint64_t>(last) + 1));
    if (!taken.insert(place).second) taken.insert(place = last);
    // Places are numbered row by row, the diagonal left out.
    const int64_t row = place / (side - 1), column = place % (side - 1);
    blocks.push_back(
        {static_cast<int32_t>(row), static_cast<int32_t>(column < row ? column : column + 1)});
  }
  return BlockPattern::FromBlocks(pattern.blocks_per_side(), pattern.block_size(), blocks).value();
}

}  // namespace spion
