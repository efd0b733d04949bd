// How far a result may be from the oracle's, and the measures of "far". Assert
//
//   EXPECT_LE(NormError(out, reference), AttentionTolerance{...}.forward());
//
// never `!(error > tolerance)`: every comparison with NaN is false, so a NaN fails the first.
#ifndef SPION_TESTING_TOLERANCE_H_
#define SPION_TESTING_TOLERANCE_H_

#include <cstdint>

#include "absl/types/span.h"

namespace spion {

/// ||out - reference|| / max(||reference||, smallest_norm), Euclidean. If that is 0 / 0: 0; NaN if
/// `out` has one. The spans must be of one size. `smallest_norm` is for results that may cancel to
/// about nothing, which no relative bound can hold: their size had they not cancelled.
double NormError(absl::Span<const float> out, absl::Span<const double> reference,
                 double smallest_norm = 0);

/// max |out - reference| / max |reference|, with the same conventions.
double MaxError(absl::Span<const float> out, absl::Span<const double> reference,
                double smallest_maximum = 0);

/// Bounds on NormError of attention in a precision of the given unit roundoff.
struct AttentionTolerance {
  /// 2^-24 for fp32 computed throughout.
  double roundoff = 0x1p-24;
  /// Largest |score|, natural units. A score of size s is rounded by s * roundoff, and its
  /// exponential is then wrong by that much relatively: this dominates when scores are large.
  double max_score = 0;
  /// Terms of the longest sum. Roundings are independent, so they grow as its square root.
  int64_t terms = 1;

  /// The largest score's rounding, one exponential of 2.5 units in the last place, and the sums
  /// that follow. Typical errors are a fifth of it, for most scores are far from the largest.
  double forward() const;
  /// Through P (with the stored logarithm, so twice the score's error), G, their difference and one
  /// more product: three times the forward bound, as for the framework's own gradients.
  double backward() const;
  /// A single element may be off by more than the norm-wise average: MaxError's bound over
  /// NormError's.
  static constexpr double kMaxOverNorm = 8;
};

}  // namespace spion

#endif  // SPION_TESTING_TOLERANCE_H_
