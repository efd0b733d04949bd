#include "baselines/nystromformer/nystromformer_attention.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_inv.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <optional>
#include <vector>

#include "baselines/testing/attention_check.h"
#include "baselines/testing/softmax_oracle.h"

namespace spion {
namespace {

constexpr int64_t kHeads = 2;
constexpr int64_t kLength = 24;
constexpr int64_t kHeadDim = 4;
constexpr int64_t kKernel = 5;

// The attention with what it needs to live.
struct Layer {
  explicit Layer(const NystromformerOptions& options) {
    at::manual_seed(41);
    attention =
        std::make_unique<NystromformerAttention>(AttentionContext{.layer = 0,
                                                                  .length = kLength,
                                                                  .heads = kHeads,
                                                                  .head_dim = kHeadDim,
                                                                  .device = at::kCPU,
                                                                  .parameters = parameters.root()},
                                                 options);
  }
  at::Tensor operator()(const Heads& heads, const Lengths& lengths) const {
    return attention->Forward(heads.q, heads.k, heads.v, lengths);
  }
  const at::Tensor& filters() const { return parameters.items()[0].value; }
  void RemoveConvolution() const {
    const c10::AutoGradMode no_grad(false);
    at::Tensor filters_to_clear = filters();
    filters_to_clear.zero_();
  }

  Parameters parameters{at::kCPU};
  std::unique_ptr<NystromformerAttention> attention;
};

double Scale() { return 1 / std::sqrt(1.0 * kHeadDim); }

at::Tensor Zeroed(const at::Tensor& x, const std::vector<int64_t>& lengths) {
  at::Tensor out = x.clone();
  for (int64_t b = 0; b < x.size(0); ++b) out.select(0, b).slice(1, lengths[b]).zero_();
  return out;
}

at::Tensor Means(const at::Tensor& x, int64_t count) {
  const int64_t run = kLength / count;
  at::Tensor means = at::zeros({x.size(0), x.size(1), count, kHeadDim}, at::kDouble);
  for (int64_t i = 0; i < kLength; ++i) means.select(2, i / run).add_(x.select(2, i) / run);
  return means;
}

// The matrix of softmax weights: what attention gives for values that are unit vectors.
at::Tensor Weights(const at::Tensor& q, const at::Tensor& k) {
  const at::Tensor scores = q.matmul(k.transpose(2, 3)).mul(Scale()).exp();
  return scores / scores.sum(3, /*keepdim=*/true);
}

at::Tensor Convolved(const at::Tensor& v, const at::Tensor& filters) {
  at::Tensor out = at::zeros(v.sizes(), at::kDouble);
  for (int64_t h = 0; h < kHeads; ++h) {
    for (int64_t i = 0; i < kLength; ++i) {
      for (int64_t t = 0; t < kKernel; ++t) {
        const int64_t j = i + t - kKernel / 2;
        if (j < 0 || j >= kLength) continue;
        out.select(1, h).select(1, i).add_(v.select(1, h).select(1, j) *
                                           filters[h][t].item<double>());
      }
    }
  }
  return out;
}

// By the exact inverse.
at::Tensor Oracle(const Heads& heads, const std::vector<int64_t>& lengths, int64_t landmarks,
                  const at::Tensor& filters) {
  const c10::AutoGradMode no_grad(false);
  const at::Tensor q = Zeroed(heads.q, lengths);
  const at::Tensor k = Zeroed(heads.k, lengths);
  const at::Tensor v = Zeroed(heads.v, lengths);
  const at::Tensor q_means = Means(q, landmarks);
  const at::Tensor k_means = Means(k, landmarks);
  const at::Tensor seen =
      SoftmaxOracle(q_means, k, v, Scale(),
                    [&](int64_t b, int64_t, int64_t, int64_t j) { return j < lengths[b]; });
  const at::Tensor inverse = at::linalg_inv(Weights(q_means, k_means));
  return Weights(q, k_means).matmul(inverse.matmul(seen)) + Convolved(v, filters);
}

// Queries and keys that lie far apart, so that the landmarks' matrix is far from singular.
Heads SpreadHeads(uint64_t seed) {
  Heads heads = RandomHeads(2, kHeads, kLength, kHeadDim, seed);
  heads.k = heads.q * 4;
  return heads;
}

TEST(NystromformerAttentionTest, IsTheThreeSoftmaxesAndTheConvolution) {
  const Layer layer({.landmarks = 4, .inverse_steps = 40, .kernel = kKernel});
  const Heads heads = SpreadHeads(1);
  EXPECT_LE(MaxDifference(layer(heads, std::nullopt),
                          Oracle(heads, {kLength, kLength}, 4, layer.filters())),
            1e-6);
}

TEST(NystromformerAttentionTest, EveryTokenALandmarkIsSoftmaxAttention) {
  const Layer layer({.landmarks = kLength, .inverse_steps = 60, .kernel = kKernel});
  layer.RemoveConvolution();
  const Heads heads = SpreadHeads(2);
  const at::Tensor expected =
      SoftmaxOracle(heads.q, heads.k, heads.v, Scale(), [](auto...) { return true; });
  EXPECT_LE(MaxDifference(layer(heads, std::nullopt), expected), 1e-6);
}

TEST(NystromformerAttentionTest, DoesNotSeePadding) {
  const Layer layer({.landmarks = 4, .inverse_steps = 40, .kernel = kKernel});
  const Heads heads = SpreadHeads(3);
  EXPECT_LE(MaxDifference(layer(heads, MakeLengths({21, 24})),
                          Oracle(heads, {21, 24}, 4, layer.filters())),
            1e-6);
}

TEST(NystromformerAttentionTest, GradientsAreThoseOfFiniteDifferences) {
  const Layer layer({.landmarks = 4, .kernel = kKernel});
  const at::Tensor lengths = MakeLengths({11, 24});
  const auto nystromformer = [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    return layer({q, k, v}, lengths);
  };
  EXPECT_LE(GradientError(nystromformer, RandomHeads(2, kHeads, kLength, kHeadDim, 4)), 1e-6);
  EXPECT_GT(layer.filters().grad().abs().max().item<double>(), 0);
}

TEST(NystromformerAttentionTest, MixedPrecisionIsCloseToDouble) {
  const Layer layer({.landmarks = 4, .kernel = kKernel});
  const Heads heads = RandomHeads(2, kHeads, kLength, kHeadDim, 5);
  const auto nystromformer = [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    return layer({q, k, v}, std::nullopt);
  };
  const at::Tensor expected = layer(heads, std::nullopt);
  EXPECT_LE(MaxDifference(UnderAutocast(nystromformer, heads), expected),
            0.05 * expected.abs().max().item<double>());
}

TEST(NystromformerAttentionTest, ALengthOfNoWholeSegmentsIsRefused) {
  EXPECT_THROW(Layer({.landmarks = 7}), c10::Error);
}

}  // namespace
}  // namespace spion
