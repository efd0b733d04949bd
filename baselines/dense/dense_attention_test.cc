#include "baselines/dense/dense_attention.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <cmath>

#include "baselines/testing/attention_check.h"
#include "baselines/testing/softmax_oracle.h"

namespace spion {
namespace {

constexpr int64_t kLength = 24;

at::Tensor Dense(const Heads& heads, const Lengths& lengths) {
  return DenseAttention().Forward(heads.q, heads.k, heads.v, lengths);
}

TEST(DenseAttentionTest, IsSoftmaxAttention) {
  const Heads heads = RandomHeads(2, 3, kLength, 8, 1);
  const at::Tensor expected =
      SoftmaxOracle(heads.q, heads.k, heads.v, 1 / std::sqrt(8.0), [](auto...) { return true; });
  EXPECT_LE(MaxDifference(Dense(heads, std::nullopt), expected), 1e-12);
}

TEST(DenseAttentionTest, DoesNotSeePadding) {
  const Heads heads = RandomHeads(2, 3, kLength, 8, 2);
  const int64_t lengths[] = {5, kLength};
  const at::Tensor expected =
      SoftmaxOracle(heads.q, heads.k, heads.v, 1 / std::sqrt(8.0),
                    [&](int64_t b, int64_t, int64_t, int64_t j) { return j < lengths[b]; });
  EXPECT_LE(MaxDifference(Dense(heads, MakeLengths({5, kLength})), expected), 1e-12);
}

TEST(DenseAttentionTest, PaddingAloneGivesTheMean) {
  const Heads heads = RandomHeads(1, 1, kLength, 8, 3);
  const at::Tensor mean = heads.v.mean(2, /*keepdim=*/true).expand_as(heads.v);
  EXPECT_LE(MaxDifference(Dense(heads, MakeLengths({0})), mean), 1e-12);
}

TEST(DenseAttentionTest, GradientsAreThoseOfFiniteDifferences) {
  const at::Tensor lengths = MakeLengths({9, 0, kLength});
  const auto dense = [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    return DenseAttention().Forward(q, k, v, lengths);
  };
  EXPECT_LE(GradientError(dense, RandomHeads(3, 2, kLength, 8, 4)), 1e-7);
}

TEST(DenseAttentionTest, MixedPrecisionIsCloseToDouble) {
  const Heads heads = RandomHeads(2, 2, kLength, 8, 5);
  const auto dense = [](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    return DenseAttention().Forward(q, k, v, std::nullopt);
  };
  // bf16 keeps 8 bits: scores of a few units are off by a hundredth.
  EXPECT_LE(MaxDifference(UnderAutocast(dense, heads), Dense(heads, std::nullopt)), 0.05);
}

}  // namespace
}  // namespace spion
