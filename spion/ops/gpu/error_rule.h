// The rule that GPU results are judged by: an error, as a norm against the double oracle, may be at
// most twice (gradients: three times) that of LibTorch's own implementation in the same precision.
//
//   ExpectAsAccurateAsFramework(c, RunOperator(c, device), RunFramework(c, device), RunOracle(c));
#ifndef SPION_OPS_GPU_ERROR_RULE_H_
#define SPION_OPS_GPU_ERROR_RULE_H_

#include <ATen/core/Tensor.h>

#include <vector>

#include "spion/ops/gpu/precision.h"
#include "spion/ops/gpu/precision_case.h"

namespace spion {

/// What an error is compared with: `factor` times the framework's error, and a floor below which no
/// error counts, because the framework may happen to be exact.
struct ErrorRule {
  double factor;
  double floor;

  /// 2 times the framework's error and 2 roundoffs; an operand's rounding alone makes one.
  static ErrorRule Forward(TestPrecision precision);
  /// 3 times the framework's error and 4 roundoffs, for gradients go through two products more; and
  /// 3 times the largest score in roundoffs of fp32: probabilities are recomputed from a logarithm
  /// that is rounded by that much, where the framework keeps them.
  static ErrorRule Backward(TestPrecision precision, double max_score);
};

/// Expects `ours` to obey the rule in the norm, and no single element to be off by more than
/// AttentionTolerance::kMaxOverNorm times that. `smallest_norm`, `smallest_maximum`: see NormError.
void ExpectWithinRule(const char* name, const at::Tensor& ours, const at::Tensor& framework,
                      const std::vector<double>& truth, const ErrorRule& rule,
                      double smallest_norm = 0, double smallest_maximum = 0);

enum class Scores {
  kOrdinary,
  /// So large that most rows attend to one key alone. The gradients of q and k then cancel to
  /// almost nothing: their errors are measured by what they would be had they not cancelled.
  kHuge,
};

/// The output and the three gradients.
void ExpectAsAccurateAsFramework(const PrecisionCase& c, const AttentionResult& ours,
                                 const AttentionResult& framework, const AttentionTruth& truth,
                                 Scores scores = Scores::kOrdinary);

}  // namespace spion

#endif  // SPION_OPS_GPU_ERROR_RULE_H_
