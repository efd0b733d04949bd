// What GPU results are judged by is judged itself, on the CPU: LibTorch's attention against the
// oracle, the rule with results that must fail it, and all of it with the CPU's operator.
#include "spion/ops/gpu/framework_attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "spion/ops/block_sparse_attention.h"
#include "spion/ops/gpu/error_rule.h"
#include "spion/ops/gpu/precision_case.h"
#include "spion/testing/pattern_zoo.h"
#include "spion/testing/seed.h"
#include "spion/testing/tolerance.h"

namespace spion {
namespace {

constexpr int kBlock = 16;
constexpr AttentionShape kShape{.batch = 3, .heads = 2, .length = 64, .head_dim = 32};

using FrameworkParam = std::tuple<TestPrecision, CasePadding, PrunedScore>;

class FrameworkAttentionTest : public ::testing::TestWithParam<FrameworkParam> {
 protected:
  static PrecisionCase Case() {
    const auto [precision, padding, pruned] = GetParam();
    return MakePrecisionCase(precision, kShape, padding, 1, TestSeed(51),
                             {RandomBlocks(4, kBlock, 0.4, 3), LongColumns(4, kBlock)}, pruned);
  }
};

TEST_P(FrameworkAttentionTest, AgreesWithTheOracleInValueAndGradients) {
  const PrecisionCase c = Case();
  const AttentionResult result = RunFramework(c, at::kCPU);
  const AttentionTruth truth = RunOracle(c);
  const AttentionTolerance tolerance = {
      .roundoff = Roundoff(c.precision), .max_score = c.inputs.MaxScore(), .terms = kShape.length};
  EXPECT_LE(NormError(HostFloats(result.out), truth.out), tolerance.forward());
  EXPECT_LE(NormError(HostFloats(result.grad_q), truth.grad_q), tolerance.backward());
  EXPECT_LE(NormError(HostFloats(result.grad_k), truth.grad_k), tolerance.backward());
  EXPECT_LE(NormError(HostFloats(result.grad_v), truth.grad_v), tolerance.backward());
}

TEST_P(FrameworkAttentionTest, MapAgreesWithTheOracle) {
  const PrecisionCase c = Case();
  const CaseTensors tensors = ToTensors(c, at::kCPU);
  const AttentionTolerance tolerance = {
      .roundoff = Roundoff(c.precision), .max_score = c.inputs.MaxScore(), .terms = kShape.length};
  EXPECT_LE(
      NormError(HostFloats(MaterialisedMap(tensors.q, tensors.k, tensors.padding)), OracleMap(c)),
      tolerance.forward());
}

INSTANTIATE_TEST_SUITE_P(
    All, FrameworkAttentionTest,
    ::testing::Combine(
        ::testing::Values(TestPrecision::kFp16, TestPrecision::kBf16, TestPrecision::kFp32),
        ::testing::Values(CasePadding::kNone, CasePadding::kLengths, CasePadding::kMask),
        ::testing::Values(PrunedScore::kZero, PrunedScore::kExcluded)),
    [](const auto& info) {
      return std::string(Name(std::get<0>(info.param))) + Name(std::get<1>(info.param)) +
             Name(std::get<2>(info.param));
    });

class GatheredAttentionTest : public ::testing::TestWithParam<PrunedScore> {};

TEST_P(GatheredAttentionTest, AgreesWithTheOracle) {
  const PrecisionCase c = MakePrecisionCase(TestPrecision::kFp32, kShape, CasePadding::kNone, 1,
                                            TestSeed(52), {ThreeBlocksARow(4, kBlock)}, GetParam());
  const AttentionResult result = ForwardAndBackward(
      [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
        return GatheredAttention(q, k, v, c.patterns[0], c.pruned);
      },
      ToTensors(c, at::kCPU));
  const AttentionTruth truth = RunOracle(c);
  const AttentionTolerance tolerance = {.max_score = c.inputs.MaxScore(), .terms = kShape.length};
  EXPECT_LE(NormError(HostFloats(result.out), truth.out), tolerance.forward());
  EXPECT_LE(NormError(HostFloats(result.grad_q), truth.grad_q), tolerance.backward());
  EXPECT_LE(NormError(HostFloats(result.grad_k), truth.grad_k), tolerance.backward());
  EXPECT_LE(NormError(HostFloats(result.grad_v), truth.grad_v), tolerance.backward());
}

INSTANTIATE_TEST_SUITE_P(All, GatheredAttentionTest,
                         ::testing::Values(PrunedScore::kZero, PrunedScore::kExcluded),
                         [](const auto& info) { return Name(info.param); });

TEST(ErrorRuleTest, TheCpuOperatorIsAsAccurateAsTheFramework) {
  for (const CasePadding padding :
       {CasePadding::kNone, CasePadding::kLengths, CasePadding::kMask}) {
    for (const NamedPattern& named : PatternZoo(4, kBlock, 5)) {
      SCOPED_TRACE(named.name);
      const PrecisionCase c = MakePrecisionCase(TestPrecision::kFp32, kShape, padding, 1,
                                                TestSeed(53), {named.pattern}, PrunedScore::kZero);
      ExpectAsAccurateAsFramework(c, RunOperator(c, at::kCPU), RunFramework(c, at::kCPU),
                                  RunOracle(c));
    }
  }
}

TEST(ErrorRuleTest, HugeScoresObeyTheRuleToo) {
  const PrecisionCase c =
      MakePrecisionCase(TestPrecision::kFp32, kShape, CasePadding::kMask, 50, TestSeed(54),
                        {Banded(4, kBlock, 1)}, PrunedScore::kExcluded);
  ExpectAsAccurateAsFramework(c, RunOperator(c, at::kCPU), RunFramework(c, at::kCPU), RunOracle(c),
                              Scores::kHuge);
}

/// How many expectations fail when `result` is judged against a truth of ones.
int Failures(const at::Tensor& result) {
  const at::Tensor framework = result.new_ones(result.sizes());
  ::testing::TestPartResultArray failures;
  const ::testing::ScopedFakeTestPartResultReporter reporter(
      ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &failures);
  ExpectWithinRule("x", result, framework, std::vector<double>(result.numel(), 1.0),
                   ErrorRule::Forward(TestPrecision::kBf16));
  return failures.size();
}

TEST(ErrorRuleTest, RefusesWrongValuesNanAndASingleElement) {
  const at::Tensor right = at::full({10000}, 1.0F);
  EXPECT_EQ(Failures(right), 0);
  EXPECT_EQ(Failures(right * (1 + 0x1p-9)), 0);
  EXPECT_GT(Failures(right * 1.01), 0);
  at::Tensor one_nan = right.clone();
  one_nan[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(Failures(one_nan), 2);
  at::Tensor one_wrong = right.clone();
  one_wrong[7] = 1.1;
  EXPECT_EQ(Failures(one_wrong), 1);
}

}  // namespace
}  // namespace spion
