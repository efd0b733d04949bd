#include "baselines/fixed_pattern/fixed_pattern_attention.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "baselines/fixed_pattern/patterns.h"
#include "baselines/testing/attention_check.h"
#include "baselines/testing/softmax_oracle.h"

namespace spion {
namespace {

constexpr int64_t kLength = 256;
constexpr int64_t kHeadDim = 32;

struct Case {
  std::string name;
  BlockPattern pattern;
};

class FixedPatternAttentionTest : public ::testing::TestWithParam<Case> {};

TEST_P(FixedPatternAttentionTest, IsSoftmaxOverTheKeptBlocks) {
  const BlockPattern& pattern = GetParam().pattern;
  const Heads heads = RandomHeads(2, 2, kLength, kHeadDim, 1);
  const int32_t lengths[] = {200, 256};
  const int64_t b = pattern.block_size();
  const at::Tensor expected =
      SoftmaxOracle(heads.q, heads.k, heads.v, 1 / std::sqrt(1.0 * kHeadDim),
                    [&](int64_t example, int64_t, int64_t i, int64_t j) {
                      return j < lengths[example] &&
                             pattern.contains(static_cast<int>(i / b), static_cast<int>(j / b));
                    });
  FixedPatternAttention attention(pattern, /*layer=*/0, at::kCPU);
  const at::Tensor out = attention.Forward(heads.q.to(at::kFloat), heads.k.to(at::kFloat),
                                           heads.v.to(at::kFloat), MakeLengths({200, 256}));
  EXPECT_LE(MaxDifference(out, expected), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(
    Patterns, FixedPatternAttentionTest,
    ::testing::Values(Case{"Longformer", *LongformerPattern(kLength, {})},
                      Case{"BigBird", *BigBirdPattern(kLength, {.block_size = 32, .random = 2})},
                      Case{"Strided", *StridedPattern(kLength, {.stride = 4})},
                      Case{"Fixed", *FixedPattern(kLength, {.stride = 4})}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace spion
