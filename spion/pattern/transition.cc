#include "spion/pattern/transition.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "spion/base/status.h"

namespace spion {
namespace {

absl::Status CheckDistances(absl::Span<const double> distances, int layers) {
  if (distances.empty() || static_cast<int64_t>(distances.size()) != layers) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "transition test: %d distances for %d layers, expected one a layer and at least one layer",
        distances.size(), layers));
  }
  for (size_t layer = 0; layer < distances.size(); ++layer) {
    if (!(std::isfinite(distances[layer]) && distances[layer] >= 0.0)) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "transition test: distance %g of layer %d, expected a finite number of at least 0; look "
          "for NaN in its attention map",
          distances[layer], layer));
    }
  }
  return absl::OkStatus();
}

double ChangePercent(double before, double now) {
  if (before == 0.0) return now == 0.0 ? 0.0 : std::numeric_limits<double>::infinity();
  return std::abs(now - before) / before * 100.0;
}

}  // namespace

absl::StatusOr<TransitionTest::Observation> TransitionTest::Observe(
    absl::Span<const double> distances) {
  RETURN_IF_ERROR(CheckDistances(distances, layers_));
  Observation observation;
  if (!previous_.empty()) {
    for (size_t layer = 0; layer < distances.size(); ++layer) {
      observation.change_percent.push_back(ChangePercent(previous_[layer], distances[layer]));
    }
    observation.settled =
        std::all_of(observation.change_percent.begin(), observation.change_percent.end(),
                    [this](double change) { return std::trunc(change) < limit_percent_; });
  }
  previous_.assign(distances.begin(), distances.end());
  return observation;
}

}  // namespace spion
