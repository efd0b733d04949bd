#include "spion/base/did_you_mean.h"

#include <algorithm>
#include <vector>

namespace spion {
namespace {

// Edits from `a` to `b` (optimal string alignment).
size_t Distance(absl::string_view a, absl::string_view b) {
  // distance[i][j]: between the first i letters of `a` and the first j of `b`.
  std::vector<std::vector<size_t>> distance(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        distance[i][j] = i + j;
        continue;
      }
      const size_t changed = distance[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      distance[i][j] = std::min({changed, distance[i - 1][j] + 1, distance[i][j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        distance[i][j] = std::min(distance[i][j], distance[i - 2][j - 2] + 1);
      }
    }
  }
  return distance[a.size()][b.size()];
}

}  // namespace

std::string DidYouMean(absl::string_view typed, absl::Span<const std::string> known) {
  constexpr size_t kLettersPerEdit = 4;
  std::string nearest;
  size_t least = typed.size() / kLettersPerEdit + 1;
  for (const std::string& name : known) {
    if (name.size() >= typed.size() + least || typed.size() >= name.size() + least) continue;
    const size_t distance = Distance(typed, name);
    if (distance >= least) continue;
    least = distance;
    nearest = name;
  }
  return nearest;
}

}  // namespace spion
