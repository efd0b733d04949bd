// Gradients in blocks of 128 at head dimensions 64 and 128, which some GPUs make in one pass whose
// thread blocks wait for each other: by the rule of error_rule.h, and the same bits every run.
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

using OnePassParam = std::tuple<TestPrecision, int64_t, CasePadding, PrunedScore>;

std::string OnePassName(const ::testing::TestParamInfo<OnePassParam>& info) {
  const auto& [precision, head_dim, padding, pruned] = info.param;
  return absl::StrCat(Name(precision), "Dim", head_dim, Name(padding), Name(pruned));
}

class OnePassTest : public ::testing::TestWithParam<OnePassParam> {
 protected:
  static void Check(const std::vector<BlockPattern>& patterns, int64_t heads) {
    const auto [precision, head_dim, padding, pruned] = GetParam();
    const AttentionShape shape = {
        .batch = 3, .heads = heads, .length = patterns[0].length(), .head_dim = head_dim};
    const PrecisionCase c =
        MakePrecisionCase(precision, shape, padding, 1, TestSeed(91), patterns, pruned);
    ExpectAsAccurateAsFramework(c, RunOperator(c, Gpu()), RunFramework(c, Gpu()), RunOracle(c));
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

INSTANTIATE_TEST_SUITE_P(
    All, OnePassTest,
    ::testing::Combine(::testing::Values(TestPrecision::kFp16, TestPrecision::kBf16),
                       ::testing::Values(64, 128),
                       ::testing::Values(CasePadding::kNone, CasePadding::kLengths,
                                         CasePadding::kMask),
                       ::testing::Values(PrunedScore::kZero, PrunedScore::kExcluded)),
    OnePassName);

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

}  // namespace
}  // namespace spion
