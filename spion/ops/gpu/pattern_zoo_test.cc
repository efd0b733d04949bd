// Every precision x head dimension x block size x pattern x padding x meaning of pruned scores, at
// small lengths and odd counts of examples and heads, by the rule of error_rule.h.
#include "spion/testing/pattern_zoo.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "spion/ops/gpu/error_rule.h"
#include "spion/ops/gpu/framework_attention.h"
#include "spion/ops/gpu/gpu.h"
#include "spion/ops/gpu/precision_case.h"
#include "spion/testing/seed.h"

namespace spion {
namespace {

constexpr uint64_t kZooSeed = 11;

struct ZooParam {
  int64_t head_dim;
  int block_size;
  size_t zoo_index;
  CasePadding padding;
  PrunedScore pruned;
  TestPrecision precision;
};

std::vector<NamedPattern> Zoo(int block_size) {
  return PatternZoo(block_size >= 128 ? 3 : block_size >= 64 ? 4 : 6, block_size, kZooSeed);
}

/// Precisions change fastest: those of fp32 share the oracle's answer.
std::vector<ZooParam> ZooParams() {
  std::vector<ZooParam> params;
  for (const int64_t d : {16, 32, 64, 128}) {
    for (const int b : {16, 32, 64, 128}) {
      for (size_t pattern = 0; pattern < Zoo(b).size(); ++pattern) {
        for (const CasePadding padding :
             {CasePadding::kNone, CasePadding::kLengths, CasePadding::kMask}) {
          for (const PrunedScore pruned : {PrunedScore::kZero, PrunedScore::kExcluded}) {
            for (const TestPrecision precision : kPrecisions) {
              params.push_back({d, b, pattern, padding, pruned, precision});
            }
          }
        }
      }
    }
  }
  return params;
}

std::string ZooName(const ::testing::TestParamInfo<ZooParam>& info) {
  const ZooParam& p = info.param;
  return absl::StrCat(Name(p.precision), "Dim", p.head_dim, "Block", p.block_size,
                      Zoo(p.block_size)[p.zoo_index].name, Name(p.padding), Name(p.pruned));
}

/// Odd counts; with padding, one example for each of its kinds.
AttentionShape OddShape(CasePadding padding, int64_t length, int64_t head_dim) {
  if (padding == CasePadding::kNone) {
    return {.batch = 1, .heads = 5, .length = length, .head_dim = head_dim};
  }
  return {.batch = 3, .heads = 1, .length = length, .head_dim = head_dim};
}

/// The oracle's answer, kept for the next test, which may have the same inputs.
const AttentionTruth& TruthOf(const ZooParam& p, const PrecisionCase& c) {
  using Key = std::tuple<int64_t, int, size_t, CasePadding, PrunedScore, at::ScalarType>;
  static std::optional<Key> last;
  static AttentionTruth truth;
  const Key key = {p.head_dim, p.block_size, p.zoo_index,
                   p.padding,  p.pruned,     ScalarTypeOf(p.precision)};
  if (last != key) truth = RunOracle(c);
  last = key;
  return truth;
}

class PatternZooTest : public ::testing::TestWithParam<ZooParam> {};

TEST_P(PatternZooTest, AsAccurateAsTheFramework) {
  const ZooParam& p = GetParam();
  const BlockPattern pattern = Zoo(p.block_size)[p.zoo_index].pattern;
  const PrecisionCase c =
      MakePrecisionCase(p.precision, OddShape(p.padding, pattern.length(), p.head_dim), p.padding,
                        1, TestSeed(1), {pattern}, p.pruned);
  ExpectAsAccurateAsFramework(c, RunOperator(c, Gpu()), RunFramework(c, Gpu()), TruthOf(p, c));
}

INSTANTIATE_TEST_SUITE_P(All, PatternZooTest, ::testing::ValuesIn(ZooParams()), ZooName);

// ---- More lines than a GPU takes up at once ----

using ManyLinesParam = std::tuple<TestPrecision, int64_t, int>;

class ManyLinesTest : public ::testing::TestWithParam<ManyLinesParam> {};

TEST_P(ManyLinesTest, AsAccurateAsTheFramework) {
  const auto [precision, head_dim, block_size] = GetParam();
  const BlockPattern pattern = RandomBlocks(block_size == 128 ? 5 : 8, block_size, 0.3, kZooSeed);
  const AttentionShape shape = {
      .batch = 3, .heads = 18, .length = pattern.length(), .head_dim = head_dim};
  const PrecisionCase c = MakePrecisionCase(precision, shape, CasePadding::kLengths, 1, TestSeed(3),
                                            {pattern}, PrunedScore::kZero);
  ExpectAsAccurateAsFramework(c, RunOperator(c, Gpu()), RunFramework(c, Gpu()), RunOracle(c));
}

INSTANTIATE_TEST_SUITE_P(All, ManyLinesTest,
                         ::testing::Combine(::testing::Values(TestPrecision::kFp16,
                                                              TestPrecision::kBf16),
                                            ::testing::Values(64, 128), ::testing::Values(64, 128)),
                         [](const auto& info) {
                           return absl::StrCat(Name(std::get<0>(info.param)), "Dim",
                                               std::get<1>(info.param), "Block",
                                               std::get<2>(info.param));
                         });

// ---- One pattern a head ----

using HeadsParam = std::tuple<TestPrecision, int, int64_t, PrunedScore>;

std::string HeadsName(const ::testing::TestParamInfo<HeadsParam>& info) {
  const auto& [precision, block_size, head_dim, pruned] = info.param;
  return absl::StrCat(Name(precision), "Block", block_size, "Dim", head_dim, Name(pruned));
}

class PatternAHeadTest : public ::testing::TestWithParam<HeadsParam> {};

TEST_P(PatternAHeadTest, AsAccurateAsTheFramework) {
  const auto [precision, block_size, head_dim, pruned] = GetParam();
  std::vector<BlockPattern> patterns;
  for (const NamedPattern& named : Zoo(block_size)) patterns.push_back(named.pattern);
  const AttentionShape shape = {.batch = 3,
                                .heads = static_cast<int64_t>(patterns.size()),
                                .length = patterns[0].length(),
                                .head_dim = head_dim};
  const PrecisionCase c =
      MakePrecisionCase(precision, shape, CasePadding::kLengths, 1, TestSeed(2), patterns, pruned);
  ExpectAsAccurateAsFramework(c, RunOperator(c, Gpu()), RunFramework(c, Gpu()), RunOracle(c));
}

INSTANTIATE_TEST_SUITE_P(
    All, PatternAHeadTest,
    ::testing::Combine(::testing::ValuesIn(kPrecisions), ::testing::Values(16, 32, 64, 128),
                       ::testing::Values(32, 64),
                       ::testing::Values(PrunedScore::kZero, PrunedScore::kExcluded)),
    HeadsName);

}  // namespace
}  // namespace spion
