// A few small problems for compute-sanitizer, which is some hundred times slower: every tile size,
// with padding and uneven rows. No matrix product of LibTorch's, so that all that is found is ours.
#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "spion/ops/attention_map.h"
#include "spion/ops/gpu/gpu.h"
#include "spion/ops/gpu/precision_case.h"
#include "spion/testing/pattern_zoo.h"
#include "spion/testing/seed.h"
#include "spion/testing/tolerance.h"

namespace spion {
namespace {

using SanitizerParam = std::tuple<TestPrecision, int, int64_t>;

std::string SanitizerName(const ::testing::TestParamInfo<SanitizerParam>& info) {
  const auto& [precision, block_size, head_dim] = info.param;
  return absl::StrCat(Name(precision), "Block", block_size, "Dim", head_dim);
}

class SanitizerTest : public ::testing::TestWithParam<SanitizerParam> {
 protected:
  static PrecisionCase Case(CasePadding padding, PrunedScore pruned) {
    const auto [precision, block_size, head_dim] = GetParam();
    const AttentionShape shape = {
        .batch = 3, .heads = 1, .length = 3 * block_size, .head_dim = head_dim};
    return MakePrecisionCase(precision, shape, padding, 1, TestSeed(81),
                             {FullAndBareRows(3, block_size)}, pruned);
  }

  /// Each of a few roundings in the precision, and sums in fp32.
  static AttentionTolerance Tolerance(const PrecisionCase& c) {
    return {.roundoff = Roundoff(c.precision),
            .max_score = c.inputs.MaxScore(),
            .terms = c.inputs.shape.length};
  }
};

TEST_P(SanitizerTest, Attention) {
  for (const auto& [padding, pruned, deterministic] :
       {std::tuple{CasePadding::kLengths, PrunedScore::kZero, true},
        std::tuple{CasePadding::kMask, PrunedScore::kExcluded, true},
        std::tuple{CasePadding::kMask, PrunedScore::kZero, false}}) {
    const PrecisionCase c = Case(padding, pruned);
    const AttentionResult result = RunOperator(c, Gpu(), deterministic);
    const AttentionTruth truth = RunOracle(c);
    const AttentionTolerance tolerance = Tolerance(c);
    EXPECT_LE(NormError(HostFloats(result.out), truth.out), tolerance.forward());
    EXPECT_LE(NormError(HostFloats(result.grad_q), truth.grad_q), tolerance.backward());
    EXPECT_LE(NormError(HostFloats(result.grad_k), truth.grad_k), tolerance.backward());
    EXPECT_LE(NormError(HostFloats(result.grad_v), truth.grad_v), tolerance.backward());
  }
}

TEST_P(SanitizerTest, Map) {
  const PrecisionCase c = Case(CasePadding::kLengths, PrunedScore::kZero);
  const CaseTensors tensors = ToTensors(c, Gpu());
  const FrameworkPrecision precision(c.precision);
  EXPECT_LE(
      NormError(HostFloats(MeanAttentionMap(tensors.q, tensors.k, tensors.padding)), OracleMap(c)),
      Tolerance(c).forward());
}

INSTANTIATE_TEST_SUITE_P(All, SanitizerTest,
                         ::testing::Values(SanitizerParam{TestPrecision::kFp16, 16, 16},
                                           SanitizerParam{TestPrecision::kFp16, 64, 64},
                                           SanitizerParam{TestPrecision::kBf16, 32, 32},
                                           SanitizerParam{TestPrecision::kBf16, 128, 128},
                                           SanitizerParam{TestPrecision::kFp16, 128, 64},
                                           SanitizerParam{TestPrecision::kTf32, 32, 64},
                                           SanitizerParam{TestPrecision::kTf32, 64, 32},
                                           SanitizerParam{TestPrecision::kFp32, 16, 128},
                                           SanitizerParam{TestPrecision::kFp32, 128, 16}),
                         SanitizerName);

}  // namespace
}  // namespace spion
