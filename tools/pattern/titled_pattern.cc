#include "tools/pattern/titled_pattern.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_format.h"

namespace spion {
namespace {

int32_t LongestLine(const BlockLines& lines) {
  int32_t longest = 0;
  for (size_t i = 0; i + 1 < lines.offsets.size(); ++i) {
    longest = std::max(longest, lines.offsets[i + 1] - lines.offsets[i]);
  }
  return longest;
}

}  // namespace

std::string Describe(const TitledPattern& titled) {
  const BlockPattern& pattern = titled.pattern;
  const int n = pattern.blocks_per_side();
  return absl::StrFormat(
      "%s: %d x %d blocks of %d x %d, %d kept, density %.2f %%, longest row %d, longest column %d",
      titled.title, n, n, pattern.block_size(), pattern.block_size(), pattern.kept_blocks(),
      100.0 * static_cast<double>(pattern.kept_blocks()) /
          static_cast<double>(pattern.total_blocks()),
      LongestLine(pattern.rows()), LongestLine(pattern.columns()));
}

}  // namespace spion
