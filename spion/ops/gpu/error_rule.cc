#include "spion/ops/gpu/error_rule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "spion/testing/tolerance.h"

namespace spion {
namespace {

struct Size {
  double norm = 0;
  double maximum = 0;
};

Size SizeOf(const std::vector<float>& values) {
  Size size;
  for (const float x : values) {
    size.norm += double{x} * x;
    size.maximum = std::max(size.maximum, std::abs(double{x}));
  }
  size.norm = std::sqrt(size.norm);
  return size;
}

}  // namespace

ErrorRule ErrorRule::Forward(TestPrecision precision) {
  return {.factor = 2, .floor = 2 * Roundoff(precision)};
}

ErrorRule ErrorRule::Backward(TestPrecision precision, double max_score) {
  return {.factor = 3,
          .floor = 4 * Roundoff(precision) + 3 * max_score * Roundoff(TestPrecision::kFp32)};
}

void ExpectWithinRule(const char* name, const at::Tensor& ours, const at::Tensor& framework,
                      const std::vector<double>& truth, const ErrorRule& rule, double smallest_norm,
                      double smallest_maximum) {
  const std::vector<float> values = HostFloats(ours);
  const double frameworks = NormError(HostFloats(framework), truth, smallest_norm);
  const double bound = rule.factor * frameworks + rule.floor;
  EXPECT_LE(NormError(values, truth, smallest_norm), bound)
      << name << ": the framework's error is " << frameworks;
  const double frameworks_worst = MaxError(HostFloats(framework), truth, smallest_maximum);
  EXPECT_LE(MaxError(values, truth, smallest_maximum),
            std::max(AttentionTolerance::kMaxOverNorm * bound, rule.factor * frameworks_worst))
      << name << ", single elements: the framework's worst error is " << frameworks_worst;
}

void ExpectAsAccurateAsFramework(const PrecisionCase& c, const AttentionResult& ours,
                                 const AttentionResult& framework, const AttentionTruth& truth,
                                 Scores scores) {
  const ErrorRule forward = ErrorRule::Forward(c.precision);
  const ErrorRule backward = ErrorRule::Backward(c.precision, c.inputs.MaxScore());
  Size q;
  Size k;
  if (scores == Scores::kHuge) {
    q = SizeOf(c.inputs.q);
    k = SizeOf(c.inputs.k);
  }
  ExpectWithinRule("out", ours.out, framework.out, truth.out, forward);
  // dQ is scale * (dO . v) * k summed up, and dO . v is some sqrt(d) = 1 / scale; dK likewise.
  ExpectWithinRule("grad_q", ours.grad_q, framework.grad_q, truth.grad_q, backward, k.norm,
                   k.maximum);
  ExpectWithinRule("grad_k", ours.grad_k, framework.grad_k, truth.grad_k, backward, q.norm,
                   q.maximum);
  ExpectWithinRule("grad_v", ours.grad_v, framework.grad_v, truth.grad_v, backward);
}

}  // namespace spion
