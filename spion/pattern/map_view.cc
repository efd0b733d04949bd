#include "spion/pattern/map_view.h"

#include "absl/strings/str_format.h"

namespace spion {

absl::Status CheckShape(MapView map) {
  const int64_t size = static_cast<int64_t>(map.values.size());
  if (map.side < 1 || size == 0) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "attention map: side %d with %d values, expected a map of at least 1 x 1; capture the map "
        "before asking for its pattern",
        map.side, size));
  }
  // By division: the square of a wild side would overflow.
  if (size % map.side != 0 || size / map.side != map.side) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "attention map: %d values, expected side %d squared; pass one L x L map, averaged over "
        "batch and heads, and its L",
        size, map.side));
  }
  return absl::OkStatus();
}

}  // namespace spion
