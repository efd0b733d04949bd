#include "baselines/skyformer/kernelised_attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "baselines/testing/attention_check.h"

namespace spion {
namespace {

constexpr int64_t kLength = 20;
constexpr int64_t kHeadDim = 8;

at::Tensor Oracle(const Heads& heads, const std::vector<int64_t>& lengths) {
  at::Tensor out = at::zeros(heads.q.sizes(), at::kDouble);
  const auto q = heads.q.accessor<double, 4>();
  const auto k = heads.k.accessor<double, 4>();
  const auto v = heads.v.accessor<double, 4>();
  auto result = out.accessor<double, 4>();
  for (int64_t b = 0; b < q.size(0); ++b) {
    for (int64_t h = 0; h < q.size(1); ++h) {
      for (int64_t i = 0; i < kLength; ++i) {
        for (int64_t j = 0; j < lengths[b]; ++j) {
          double distance = 0;
          for (int64_t c = 0; c < kHeadDim; ++c) {
            distance += std::pow(q[b][h][i][c] - k[b][h][j][c], 2);
          }
          const double weight = std::exp(-distance / (2 * std::sqrt(1.0 * kHeadDim)));
          for (int64_t c = 0; c < kHeadDim; ++c) result[b][h][i][c] += weight * v[b][h][j][c];
        }
      }
    }
  }
  return out;
}

at::Tensor Kernelised(const Heads& heads, const Lengths& lengths) {
  return KernelisedAttention().Forward(heads.q, heads.k, heads.v, lengths);
}

TEST(KernelisedAttentionTest, IsTheGaussianKernelsSum) {
  const Heads heads = RandomHeads(2, 3, kLength, kHeadDim, 1);
  EXPECT_LE(MaxDifference(Kernelised(heads, std::nullopt), Oracle(heads, {kLength, kLength})),
            1e-12);
}

TEST(KernelisedAttentionTest, DoesNotSeePadding) {
  const Heads heads = RandomHeads(2, 3, kLength, kHeadDim, 2);
  EXPECT_LE(MaxDifference(Kernelised(heads, MakeLengths({7, 20})), Oracle(heads, {7, 20})), 1e-12);
}

TEST(KernelisedAttentionTest, GradientsAreThoseOfFiniteDifferences) {
  const at::Tensor lengths = MakeLengths({7, 20});
  const auto kernelised = [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    return KernelisedAttention().Forward(q, k, v, lengths);
  };
  EXPECT_LE(GradientError(kernelised, RandomHeads(2, 2, kLength, kHeadDim, 3)), 1e-7);
}

TEST(KernelisedAttentionTest, MixedPrecisionRoundsInputsAndResultAlone) {
  const Heads heads = RandomHeads(2, 2, kLength, kHeadDim, 4);
  const auto kernelised = [](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    return KernelisedAttention().Forward(q, k, v, std::nullopt);
  };
  const Heads rounded{.q = heads.q.to(at::kBFloat16).to(at::kDouble),
                      .k = heads.k.to(at::kBFloat16).to(at::kDouble),
                      .v = heads.v.to(at::kBFloat16).to(at::kDouble)};
  const at::Tensor expected = Kernelised(rounded, std::nullopt);
  // Half a unit in bf16's last place, of results of a few units.
  EXPECT_LE(MaxDifference(UnderAutocast(kernelised, heads), expected),
            expected.abs().max().item<double>() / 256);
}

}  // namespace
}  // namespace spion
