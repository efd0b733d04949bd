// Gradients in blocks of 128 at head dimensions 64 and 128, which some GPUs make in one pass: by
// the rule of error_rule.h. Deterministic, by thread blocks that wait for each other: the same bits
// every run. Where they need not be, a GPU may add up those of q in any order, and elsewhere has
// the bits of the deterministic ones.
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
constexpr bool kAnyOrder = false;  // of RunOperator's `deterministic`

using OnePassParam = std::tuple<TestPrecision, int64_t, CasePadding, PrunedScore, bool>;

std::string OnePassName(const ::testing::TestParamInfo<OnePassParam>& info) {
  const auto& [precision, head_dim, padding, pruned, deterministic] = info.param;
  return absl::StrCat(Name(precision), "Dim", head_dim, Name(padding), Name(pruned),
                      deterministic ? "" : "AnyOrder");
}

class OnePassTest : public ::testing::TestWithParam<OnePassParam> {
 protected:
  static void Check(const std::vector<BlockPattern>& patterns, int64_t heads) {
    const auto [precision, head_dim, padding, pruned, deterministic] = GetParam();
    const AttentionShape shape = {
        .batch = 3, .heads = heads, .length = patterns[0].length(), .head_dim = head_dim};
    const PrecisionCase c =
        MakePrecisionCase(precision, shape, padding, 1, TestSeed(91), patterns, pruned);
    ExpectAsAccurateAsFramework(c, RunOperator(c, Gpu(), deterministic), RunFramework(c, Gpu()),
                                RunOracle(c));
  }
};

TEST_P(OnePassTest, AsAccurateAsTheFramework) {
  for (const NamedPattern& named : PatternZoo(3, 128, kZooSeed)) {
    SCOPED_TRACE(named.name);
    Check({named.pattern}, 1);
  }
}

TEST_P(OnePassTest, WithAPatternAHead) {
  std::vector<BlockPattern> patterns;
  for (const NamedPattern& named : PatternZoo(3, 128, kZooSeed)) patterns.push_back(named.pattern);
  Check(patterns, static_cast<int64_t>(patterns.size()));
}

TEST_P(OnePassTest, WithMoreHeadsThanHaveRoomAtOnce) {
  Check({RandomBlocks(5, 128, 0.3, kZooSeed)}, 32);
}

auto Cases(const std::vector<int64_t>& head_dims, bool deterministic) {
  return ::testing::Combine(
      ::testing::Values(TestPrecision::kFp16, TestPrecision::kBf16), ::testing::ValuesIn(head_dims),
      ::testing::Values(CasePadding::kNone, CasePadding::kLengths, CasePadding::kMask),
      ::testing::Values(PrunedScore::kZero, PrunedScore::kExcluded),
      ::testing::Values(deterministic));
}

INSTANTIATE_TEST_SUITE_P(Deterministic, OnePassTest, Cases({64, 128}, true), OnePassName);
INSTANTIATE_TEST_SUITE_P(AnyOrder, OnePassTest, Cases({64}, kAnyOrder), OnePassName);

PrecisionCase UnevenCase(TestPrecision precision, int block_size, int64_t head_dim,
                         int64_t heads = 5) {
  const BlockPattern pattern = LongColumns(1024 / block_size, block_size);
  const AttentionShape shape = {
      .batch = 3, .heads = heads, .length = pattern.length(), .head_dim = head_dim};
  return MakePrecisionCase(precision, shape, CasePadding::kLengths, 1, TestSeed(92), {pattern},
                           PrunedScore::kZero);
}

TEST(OnePassBitsTest, AreTheSameEveryRunWithMoreHeadsThanHaveRoomAtOnce) {
  constexpr int64_t kHeads = 24;
  for (const int64_t head_dim : {64, 128}) {
    const PrecisionCase c = UnevenCase(TestPrecision::kBf16, 128, head_dim, kHeads);
    const AttentionResult first = RunOperator(c, Gpu());
    for (int repeat = 1; repeat < 50; ++repeat) {
      ASSERT_TRUE(SameBits(RunOperator(c, Gpu()), first)) << "repeat " << repeat;
    }
  }
}

TEST(AnyOrderBitsTest, GradientsOfKeysAndValuesKeepTheirs) {
  const PrecisionCase c = UnevenCase(TestPrecision::kBf16, 128, 64);
  const AttentionResult first = RunOperator(c, Gpu(), kAnyOrder);
  for (int repeat = 1; repeat < 50; ++repeat) {
    const AttentionResult result = RunOperator(c, Gpu(), kAnyOrder);
    ASSERT_TRUE(result.grad_k.equal(first.grad_k)) << "repeat " << repeat;
    ASSERT_TRUE(result.grad_v.equal(first.grad_v)) << "repeat " << repeat;
  }
}

TEST(AnyOrderBitsTest, WhereThereIsNoSuchKernelAllAreThoseOfTheDeterministicOnes) {
  for (const auto& [precision, block_size, head_dim] :
       {std::tuple{TestPrecision::kBf16, 64, 64}, std::tuple{TestPrecision::kFp16, 128, 32},
        std::tuple{TestPrecision::kBf16, 128, 128}, std::tuple{TestPrecision::kTf32, 128, 64}}) {
    const PrecisionCase c = UnevenCase(precision, block_size, head_dim);
    EXPECT_TRUE(SameBits(RunOperator(c, Gpu(), kAnyOrder), RunOperator(c, Gpu())))
        << Name(precision) << block_size;
  }
}

}  // namespace
}  // namespace spion
