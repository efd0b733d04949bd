#include "spion/pattern/frobenius_distance.h"

#include <cmath>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "spion/base/status.h"

namespace spion {
namespace {

double SquaredDifference(float a, float b) {
  const double difference = static_cast<double>(a) - b;
  return difference * difference;
}

}  // namespace

absl::StatusOr<double> FrobeniusDistance(MapView a, MapView b) {
  RETURN_IF_ERROR(CheckShape(a));
  RETURN_IF_ERROR(CheckShape(b));
  if (a.side != b.side) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "Frobenius distance: sides %d and %d, expected two maps of one size; compare captures of "
        "the same layer",
        a.side, b.side));
  }
  // Four partial sums, because one alone would wait for itself at every addition.
  constexpr size_t kLanes = 4;
  double lanes[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= a.values.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      lanes[lane] += SquaredDifference(a.values[i + lane], b.values[i + lane]);
    }
  }
  for (; i < a.values.size(); ++i) lanes[0] += SquaredDifference(a.values[i], b.values[i]);
  return std::sqrt((lanes[0] + lanes[1]) + (lanes[2] + lanes[3]));
}

}  // namespace spion
