#include "spion/testing/tolerance.h"

#include <cmath>
#include <cstddef>
#include <limits>

#include "absl/types/span.h"

namespace spion {
namespace {

double Ratio(double error, double scale) {
  if (scale > 0) return error / scale;
  return error == 0 ? 0 : std::numeric_limits<double>::infinity() * error;  // NaN stays NaN
}

}  // namespace

double NormError(absl::Span<const float> out, absl::Span<const double> reference,
                 double smallest_norm) {
  if (out.size() != reference.size()) return std::numeric_limits<double>::quiet_NaN();
  double error = 0;
  double scale = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    const double difference = out[i] - reference[i];
    error += difference * difference;
    scale += reference[i] * reference[i];
  }
  return Ratio(std::sqrt(error), std::fmax(std::sqrt(scale), smallest_norm));
}

double MaxError(absl::Span<const float> out, absl::Span<const double> reference,
                double smallest_maximum) {
  if (out.size() != reference.size()) return std::numeric_limits<double>::quiet_NaN();
  double error = 0;
  double scale = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    const double difference = std::abs(out[i] - reference[i]);
    if (!(difference <= error)) error = difference;
    if (std::isnan(error)) return error;
    scale = std::fmax(scale, std::abs(reference[i]));
  }
  return Ratio(error, std::fmax(scale, smallest_maximum));
}

double AttentionTolerance::forward() const {
  constexpr double kExponential = 5;  // 2.5 units in the last place are 5 roundoffs
  return roundoff * (max_score + kExponential + std::sqrt(static_cast<double>(terms)));
}

double AttentionTolerance::backward() const { return 3 * forward(); }

}  // namespace spion
