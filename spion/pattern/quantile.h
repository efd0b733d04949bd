// Quantile with linear interpolation between neighbouring entries.
//
//   Quantile({1, 2, 3, 5}, 0.5)   // rank 0.5 * 3 = 1.5, half-way from 2 to 3: 2.5
//
// The entry of rank q * (N - 1) in ascending order, counted from 0. Linear time: selection, no
// sort. The threshold of SPION's flood fill (arXiv 2309.12578) is one.
#ifndef SPION_PATTERN_QUANTILE_H_
#define SPION_PATTERN_QUANTILE_H_

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace spion {

/// Errors: InvalidArgument if there are no values, one of them is NaN, or q is outside [0, 1].
absl::StatusOr<double> Quantile(absl::Span<const double> values, double q);

}  // namespace spion

#endif  // SPION_PATTERN_QUANTILE_H_
