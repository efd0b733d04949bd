#include "baselines/linformer/linformer_attention.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "baselines/testing/attention_check.h"
#include "baselines/testing/softmax_oracle.h"

namespace spion {
namespace {

constexpr int64_t kLength = 20;
constexpr int64_t kProjected = 6;
constexpr int64_t kHeadDim = 8;

class LinformerAttentionTest : public ::testing::Test {
 protected:
  LinformerAttentionTest() {
    at::manual_seed(31);
    attention_ =
        std::make_unique<LinformerAttention>(AttentionContext{.layer = 0,
                                                              .length = kLength,
                                                              .heads = 2,
                                                              .head_dim = kHeadDim,
                                                              .device = at::kCPU,
                                                              .parameters = parameters_.root()},
                                             LinformerOptions{.projected = kProjected});
  }

  const at::Tensor& Parameter(int index) { return parameters_.items()[index].value; }

  // E x by plain loops, over the valid positions alone.
  at::Tensor Projected(int index, const at::Tensor& x, const std::vector<int64_t>& lengths) {
    const c10::AutoGradMode no_grad(false);
    at::Tensor out = at::zeros({x.size(0), x.size(1), kProjected, kHeadDim}, at::kDouble);
    const at::Tensor projection = Parameter(index).to(at::kDouble);
    for (int64_t b = 0; b < x.size(0); ++b) {
      for (int64_t m = 0; m < kProjected; ++m) {
        for (int64_t j = 0; j < lengths[b]; ++j) {
          out.select(0, b).select(1, m).add_(x.select(0, b).select(1, j) * projection[m][j]);
        }
      }
    }
    return out;
  }

  at::Tensor Oracle(const Heads& heads, const std::vector<int64_t>& lengths) {
    return SoftmaxOracle(heads.q, Projected(0, heads.k, lengths), Projected(1, heads.v, lengths),
                         1 / std::sqrt(1.0 * kHeadDim), [](auto...) { return true; });
  }

  at::Tensor Linformer(const Heads& heads, const Lengths& lengths) {
    return attention_->Forward(heads.q, heads.k, heads.v, lengths);
  }

  Parameters parameters_{at::kCPU};
  std::unique_ptr<LinformerAttention> attention_;
};

TEST_F(LinformerAttentionTest, HasTwoProjectionsSharedByItsHeads) {
  ASSERT_EQ(parameters_.items().size(), 2U);
  EXPECT_EQ(parameters_.items()[0].name, "key_projection");
  EXPECT_EQ(parameters_.items()[1].name, "value_projection");
  for (const NamedTensor& parameter : parameters_.items()) {
    EXPECT_EQ(parameter.value.sizes(), at::IntArrayRef({kProjected, kLength}));
    const double largest = parameter.value.abs().max().item<double>();
    EXPECT_LE(largest, 1 / std::sqrt(1.0 * kLength));
    EXPECT_GE(largest, 0.9 / std::sqrt(1.0 * kLength));
  }
}

TEST_F(LinformerAttentionTest, IsSoftmaxOverProjectedKeys) {
  const Heads heads = RandomHeads(2, 2, kLength, kHeadDim, 1);
  EXPECT_LE(MaxDifference(Linformer(heads, std::nullopt), Oracle(heads, {kLength, kLength})),
            1e-12);
}

TEST_F(LinformerAttentionTest, PaddingIsNotMixedIn) {
  const Heads heads = RandomHeads(2, 2, kLength, kHeadDim, 2);
  EXPECT_LE(MaxDifference(Linformer(heads, MakeLengths({7, 20})), Oracle(heads, {7, 20})), 1e-12);
}

TEST_F(LinformerAttentionTest, GradientsAreThoseOfFiniteDifferences) {
  const at::Tensor lengths = MakeLengths({7, 20});
  const auto linformer = [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    return Linformer({q, k, v}, lengths);
  };
  EXPECT_LE(GradientError(linformer, RandomHeads(2, 2, kLength, kHeadDim, 3)), 1e-7);
  for (const NamedTensor& parameter : parameters_.items()) {
    EXPECT_GT(parameter.value.grad().abs().max().item<double>(), 0) << parameter.name;
  }
}

TEST_F(LinformerAttentionTest, MixedPrecisionIsCloseToDouble) {
  const Heads heads = RandomHeads(2, 2, kLength, kHeadDim, 4);
  const auto linformer = [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    return Linformer({q, k, v}, std::nullopt);
  };
  EXPECT_LE(MaxDifference(UnderAutocast(linformer, heads), Linformer(heads, std::nullopt)), 0.02);
}

}  // namespace
}  // namespace spion
