// Gradients that need not be deterministic: by the rule of error_rule.h, where a GPU adds up those
// of q in any order, and the bits of the deterministic ones elsewhere.
#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "spion/ops/gpu/error_rule.h"
#include "spion/ops/gpu/framework_attention.h"
#include "spion/ops/gpu/gpu.h"
#include "spion/ops/gpu/precision_case.h"
#include "spion/testing/pattern_zoo.h"
#include "spion/testing/seed.h"

namespace spion {
namespace {

constexpr uint64_t kZooSeed = 11;
constexpr bool kDeterministic = false;

using AnyOrderParam = std::tuple<TestPrecision, int64_t, CasePadding, PrunedScore>;

std::string AnyOrderName(const ::testing::TestParamInfo<AnyOrderParam>& info) {
  const auto& [precision, head_dim, padding, pruned] = info.param;
  return absl::StrCat(Name(precision), "Dim", head_dim, Name(padding), Name(pruned));
}

class AnyOrderTest : public ::testing::TestWithParam<AnyOrderParam> {
 protected:
  static void Check(const std::vector<BlockPattern>& patterns, int64_t heads) {
    const auto [precision, head_dim, padding, pruned] = GetParam();
    const AttentionShape shape = {
        .batch = 3, .heads = heads, .length = patterns[0].length(), .head_dim = head_dim};
    const PrecisionCase c =
        MakePrecisionCase(precision, shape, padding, 1, TestSeed(91), patterns, pruned);
    ExpectAsAccurateAsFramework(c, RunOperator(c, Gpu(), kDeterministic), RunFramework(c, Gpu()),
                                RunOracle(c));
  }
};

TEST_P(AnyOrderTest, AsAccurateAsTheFramework) {
  for (const NamedPattern& named : PatternZoo(3, 128, kZooSeed)) {
    SCOPED_TRACE(named.name);
    Check({named.pattern}, 1);
  }
}

TEST_P(AnyOrderTest, WithAPatternAHead) {
  std::vector<BlockPattern> patterns;
  for (const NamedPattern& named : PatternZoo(3, 128, kZooSeed)) patterns.push_back(named.pattern);
  Check(patterns, static_cast<int64_t>(patterns.size()));
}

TEST_P(AnyOrderTest, WithMoreLinesThanAGpuTakesUpAtOnce) {
  Check({RandomBlocks(5, 128, 0.3, kZooSeed)}, 18);
}

INSTANTIATE_TEST_SUITE_P(
    All, AnyOrderTest,
    ::testing::Combine(::testing::Values(TestPrecision::kFp16, TestPrecision::kBf16),
                       ::testing::Values(64),
                       ::testing::Values(CasePadding::kNone, CasePadding::kLengths,
                                         CasePadding::kMask),
                       ::testing::Values(PrunedScore::kZero, PrunedScore::kExcluded)),
    AnyOrderName);

PrecisionCase UnevenCase(TestPrecision precision, int block_size, int64_t head_dim) {
  const BlockPattern pattern = LongColumns(1024 / block_size, block_size);
  const AttentionShape shape = {
      .batch = 3, .heads = 5, .length = pattern.length(), .head_dim = head_dim};
  return MakePrecisionCase(precision, shape, CasePadding::kLengths, 1, TestSeed(92), {pattern},
                           PrunedScore::kZero);
}

TEST(AnyOrderBitsTest, GradientsOfKeysAndValuesKeepTheirs) {
  const PrecisionCase c = UnevenCase(TestPrecision::kBf16, 128, 64);
  const AttentionResult first = RunOperator(c, Gpu(), kDeterministic);
  for (int repeat = 1; repeat < 50; ++repeat) {
    const AttentionResult result = RunOperator(c, Gpu(), kDeterministic);
    ASSERT_TRUE(result.grad_k.equal(first.grad_k)) << "repeat " << repeat;
    ASSERT_TRUE(result.grad_v.equal(first.grad_v)) << "repeat " << repeat;
  }
}

TEST(AnyOrderBitsTest, WhereThereIsNoSuchKernelAllAreThoseOfTheDeterministicOnes) {
  for (const auto& [precision, block_size, head_dim] :
       {std::tuple{TestPrecision::kBf16, 64, 64}, std::tuple{TestPrecision::kFp16, 128, 32},
        std::tuple{TestPrecision::kBf16, 128, 128}, std::tuple{TestPrecision::kTf32, 128, 64}}) {
    const PrecisionCase c = UnevenCase(precision, block_size, head_dim);
    EXPECT_TRUE(SameBits(RunOperator(c, Gpu(), kDeterministic), RunOperator(c, Gpu())))
        << Name(precision) << block_size;
  }
}

}  // namespace
}  // namespace spion
