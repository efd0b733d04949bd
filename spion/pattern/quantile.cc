#include "spion/pattern/quantile.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace spion {

absl::StatusOr<double> Quantile(absl::Span<const double> values, double q) {
  if (values.empty()) {
    return absl::InvalidArgumentError("quantile: no values, expected at least one");
  }
  if (!(q >= 0.0 && q <= 1.0)) {  // written so that NaN fails too
    return absl::InvalidArgumentError(
        absl::StrFormat("quantile: q = %g, expected a fraction from 0 to 1", q));
  }
  const auto nan =
      std::find_if(values.begin(), values.end(), [](double value) { return std::isnan(value); });
  if (nan != values.end()) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "quantile: value %d is NaN, expected numbers only; NaN has no rank, remove it first",
        nan - values.begin()));
  }

  std::vector<double> ranked(values.begin(), values.end());
  const double rank = q * static_cast<double>(ranked.size() - 1);
  const size_t below = static_cast<size_t>(rank);
  const auto lower = ranked.begin() + static_cast<std::ptrdiff_t>(below);
  std::nth_element(ranked.begin(), lower, ranked.end());
  const double share = rank - static_cast<double>(below);
  if (share == 0.0) return *lower;
  const double upper = *std::min_element(lower + 1, ranked.end());
  return *lower + (upper - *lower) * share;
}

}  // namespace spion
