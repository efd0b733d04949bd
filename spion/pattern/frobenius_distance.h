// Frobenius distance of two attention maps: the root of the sum of squared differences.
//
//   ASSIGN_OR_RETURN(double d, FrobeniusDistance({before, 4096}, {now, 4096}));
//
// D_l(i) of spion.md, from the maps of neighbouring captures. Summed in double.
#ifndef SPION_PATTERN_FROBENIUS_DISTANCE_H_
#define SPION_PATTERN_FROBENIUS_DISTANCE_H_

#include "absl/status/statusor.h"
#include "spion/pattern/map_view.h"

namespace spion {

/// Not finite if an entry is not. Errors: InvalidArgument if the sides differ, or from CheckShape.
absl::StatusOr<double> FrobeniusDistance(MapView a, MapView b);

}  // namespace spion

#endif  // SPION_PATTERN_FROBENIUS_DISTANCE_H_
