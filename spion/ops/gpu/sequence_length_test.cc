// From one block to 65,536 tokens.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "spion/ops/gpu/error_rule.h"
#include "spion/ops/gpu/framework_attention.h"
#include "spion/ops/gpu/gpu.h"
#include "spion/ops/gpu/precision_case.h"
#include "spion/testing/pattern_zoo.h"
#include "spion/testing/seed.h"

namespace spion {
namespace {

constexpr int64_t kHeadDim = 32;

AttentionShape OneHead(int64_t length) {
  return {.batch = 1, .heads = 1, .length = length, .head_dim = kHeadDim};
}

// ---- Lengths whose L x L scores the framework can hold ----

using LengthParam = std::tuple<int64_t, TestPrecision>;

std::string LengthName(const ::testing::TestParamInfo<LengthParam>& info) {
  return absl::StrCat("Length", std::get<0>(info.param), Name(std::get<1>(info.param)));
}

class SequenceLengthTest : public ::testing::TestWithParam<LengthParam> {};

TEST_P(SequenceLengthTest, AsAccurateAsTheFramework) {
  const auto [length, precision] = GetParam();
  const int n = static_cast<int>(length / 64);
  const BlockPattern pattern = RandomBlocks(n, 64, std::min(0.5, 3.0 / n), 5);
  const PrecisionCase c = MakePrecisionCase(precision, OneHead(length), CasePadding::kNone, 1,
                                            TestSeed(21), {pattern}, PrunedScore::kZero);
  ExpectAsAccurateAsFramework(c, RunOperator(c, Gpu()), RunFramework(c, Gpu()), RunOracle(c));
}

INSTANTIATE_TEST_SUITE_P(All, SequenceLengthTest,
                         ::testing::Combine(::testing::Values(64, 128, 192, 512, 1024, 2048, 4096),
                                            ::testing::ValuesIn(kPrecisions)),
                         LengthName);

TEST(ImagePatternTest, PatternsThatTrainingMadeOnePerHead) {
  for (const TestPrecision precision : kPrecisions) {
    SCOPED_TRACE(Name(precision));
    const AttentionShape shape = {.batch = 3, .heads = 2, .length = 1024, .head_dim = kHeadDim};
    const PrecisionCase c =
        MakePrecisionCase(precision, shape, CasePadding::kNone, 1, TestSeed(22),
                          {ImageCfLayer0(), ImageCfLayer1()}, PrunedScore::kZero);
    ExpectAsAccurateAsFramework(c, RunOperator(c, Gpu()), RunFramework(c, Gpu()), RunOracle(c));
  }
}

// Walks over many blocks of a row and of a column, by each of the kernels.
TEST(LateDiagonalsTest, EveryBlockOfALineCounts) {
  for (const auto& [block_size, head_dim] : {std::pair(32, 32), {64, 32}, {64, 64}, {64, 128}}) {
    const BlockPattern pattern = LateDiagonals(block_size);
    const AttentionShape shape = {
        .batch = 1, .heads = 1, .length = pattern.length(), .head_dim = head_dim};
    for (const TestPrecision precision : kPrecisions) {
      SCOPED_TRACE(absl::StrCat("block ", block_size, " head_dim ", head_dim, Name(precision)));
      const PrecisionCase c = MakePrecisionCase(precision, shape, CasePadding::kNone, 1,
                                                TestSeed(24), {pattern}, PrunedScore::kZero);
      ExpectAsAccurateAsFramework(c, RunOperator(c, Gpu()), RunFramework(c, Gpu()), RunOracle(c));
    }
  }
}

// ---- Longer ones, where the framework gathers the kept blocks ----

struct LongParam {
  int64_t length;
  int block_size;
  TestPrecision precision;
};

class LongSequenceTest : public ::testing::TestWithParam<LongParam> {};

TEST_P(LongSequenceTest, AsAccurateAsTheFramework) {
  const LongParam& p = GetParam();
  const BlockPattern pattern =
      ThreeBlocksARow(static_cast<int>(p.length / p.block_size), p.block_size);
  const PrecisionCase c = MakePrecisionCase(p.precision, OneHead(p.length), CasePadding::kNone, 1,
                                            TestSeed(23), {pattern}, PrunedScore::kZero);
  const FrameworkPrecision precision(p.precision);
  const AttentionResult framework = ForwardAndBackward(
      [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
        return GatheredAttention(q, k, v, pattern, c.pruned);
      },
      ToTensors(c, Gpu()));
  ExpectAsAccurateAsFramework(c, RunOperator(c, Gpu()), framework, RunOracle(c));
}

INSTANTIATE_TEST_SUITE_P(All, LongSequenceTest,
                         ::testing::Values(LongParam{16384, 32, TestPrecision::kFp16},
                                           LongParam{16384, 64, TestPrecision::kFp32},
                                           LongParam{65536, 128, TestPrecision::kFp16},
                                           LongParam{65536, 64, TestPrecision::kBf16},
                                           LongParam{65536, 128, TestPrecision::kTf32},
                                           LongParam{65536, 64, TestPrecision::kFp32}),
                         [](const auto& info) {
                           return absl::StrCat("Length", info.param.length, "Block",
                                               info.param.block_size, Name(info.param.precision));
                         });

}  // namespace
}  // namespace spion
