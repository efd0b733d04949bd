#include "spion/pattern/top_blocks.h"

#include <algorithm>
#include <numeric>

namespace spion {

std::vector<Block> TopBlocks(const BlockScores& scores, int64_t k) {
  const std::vector<double>& values = scores.values;
  const int64_t count = std::clamp<int64_t>(k, 0, static_cast<int64_t>(values.size()));
  std::vector<int64_t> order(values.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  std::partial_sort(order.begin(), order.begin() + count, order.end(),
                    [&values](int64_t a, int64_t b) {
                      return values[a] != values[b] ? values[a] > values[b] : a < b;
                    });
  std::vector<Block> top;
  top.reserve(count);
  for (int64_t i = 0; i < count; ++i) {
    top.push_back({static_cast<int32_t>(order[i] / scores.side),
                   static_cast<int32_t>(order[i] % scores.side)});
  }
  return top;
}

}  // namespace spion
