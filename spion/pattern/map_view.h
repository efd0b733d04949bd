// MapView: a square attention map that somebody else owns.
//
//   std::vector<float> probabilities(4096 * 4096);
//   MapView map{probabilities, 4096};
//   RETURN_IF_ERROR(CheckShape(map));
//   float p = map.row(2)[5];                       // how much token 2 looks at token 5
//
// A_l of SPION (arXiv 2309.12578): L x L, row-major, rows are queries, columns are keys.
#ifndef SPION_PATTERN_MAP_VIEW_H_
#define SPION_PATTERN_MAP_VIEW_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace spion {

struct MapView {
  absl::Span<const float> values;  // [side, side]
  int64_t side;                    // L, in tokens

  absl::Span<const float> row(int64_t index) const { return values.subspan(index * side, side); }
};

/// InvalidArgument if the map is empty or does not hold side * side values. The functions that take
/// a MapView call it themselves.
absl::Status CheckShape(MapView map);

}  // namespace spion

#endif  // SPION_PATTERN_MAP_VIEW_H_
