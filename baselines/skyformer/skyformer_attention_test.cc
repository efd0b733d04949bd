#include "baselines/skyformer/skyformer_attention.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_inv.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "baselines/skyformer/gaussian_kernel.h"
#include "baselines/skyformer/kernelised_attention.h"
#include "baselines/skyformer/landmarks.h"
#include "baselines/skyformer/nystrom.h"
#include "baselines/testing/attention_check.h"

namespace spion {
namespace {

at::Tensor Kernelised(const Heads& heads, const Lengths& lengths) {
  return KernelisedAttention().Forward(heads.q, heads.k, heads.v, lengths);
}

at::Tensor Skyformer(const Heads& heads, const Lengths& lengths, const SkyformerOptions& options) {
  at::manual_seed(11);
  return SkyformerAttention(options).Forward(heads.q, heads.k, heads.v, lengths);
}

std::set<int64_t> SetOf(const at::Tensor& positions) {
  const at::Tensor row = positions.contiguous();
  return {row.data_ptr<int64_t>(), row.data_ptr<int64_t>() + row.numel()};
}

TEST(LandmarksTest, AreDrawnWithoutReplacementFromAll) {
  at::manual_seed(1);
  std::set<int64_t> seen;
  for (int draw = 0; draw < 50; ++draw) {
    const at::Tensor positions = DrawLandmarks(2, 16, 8, std::nullopt, at::kCPU);
    for (int64_t b = 0; b < 2; ++b) {
      const std::set<int64_t> drawn = SetOf(positions[b]);
      EXPECT_EQ(drawn.size(), 8U);
      seen.insert(drawn.begin(), drawn.end());
    }
  }
  EXPECT_EQ(seen.size(), 32U);
  EXPECT_EQ(*seen.rbegin(), 31);
}

// 32 positions, 4 drawn at a time: each comes once in 8 draws.
TEST(LandmarksTest, AreUniform) {
  at::manual_seed(2);
  constexpr int kDraws = 4000;
  const at::Tensor positions = DrawLandmarks(kDraws, 16, 4, std::nullopt, at::kCPU);
  const at::Tensor counts = positions.flatten().bincount({}, 32);
  // Five standard deviations of sqrt(4000 / 8 * 7 / 8) = 21 around 500.
  EXPECT_GE(counts.min().item<int64_t>(), 500 - 105);
  EXPECT_LE(counts.max().item<int64_t>(), 500 + 105);
}

TEST(LandmarksTest, PaddingIsNeverDrawn) {
  at::manual_seed(3);
  const at::Tensor lengths = MakeLengths({3, 9, 16});
  const at::Tensor positions = DrawLandmarks(3, 16, 12, lengths, at::kCPU);
  EXPECT_TRUE(positions.remainder(16).lt(lengths.unsqueeze(1)).all().item<bool>());
  // Three queries and three keys, each twice; then nine and nine, no one twice.
  EXPECT_EQ(SetOf(positions[0]), (std::set<int64_t>{0, 1, 2, 16, 17, 18}));
  EXPECT_EQ(positions[0].bincount().max().item<int64_t>(), 2);
  EXPECT_EQ(SetOf(positions[1]).size(), 12U);
}

TEST(LandmarksTest, AreRowsOfQueriesAndKeys) {
  const Heads heads = RandomHeads(1, 2, 4, 3, 4);
  const at::Tensor rows =
      TakeLandmarks(heads.q, heads.k, at::tensor({6, 1}, at::kLong).view({1, 2}));
  EXPECT_TRUE(rows.select(2, 0).equal(heads.k.select(2, 2)));
  EXPECT_TRUE(rows.select(2, 1).equal(heads.q.select(2, 1)));
}

TEST(LandmarksTest, TooManyAreRefused) {
  EXPECT_THROW(DrawLandmarks(1, 16, 33, std::nullopt, at::kCPU), c10::Error);
}

TEST(NystromTest, AllPointsAndTheExactInverseGiveKernelisedAttention) {
  const Heads heads = RandomHeads(2, 2, 12, 8, 5);
  for (const Lengths& lengths : {Lengths(), Lengths(MakeLengths({5, 12}))}) {
    const KernelInputs in = MakeKernelInputs(heads.q, heads.k, heads.v, lengths);
    const at::Tensor positions = DrawLandmarks(2, 12, 24, std::nullopt, at::kCPU);
    const auto invert = [](const at::Tensor& matrices) { return at::linalg_inv(matrices); };
    const at::Tensor out =
        NystromAttention(in, TakeLandmarks(in.q, in.k, positions), /*ridge=*/0, invert);
    EXPECT_LE(MaxDifference(out, Kernelised(heads, lengths)), 1e-9);
  }
}

TEST(SkyformerAttentionTest, AllPointsAndManyStepsGiveKernelisedAttention) {
  const Heads heads = RandomHeads(2, 2, 12, 8, 6);
  const at::Tensor out =
      Skyformer(heads, std::nullopt, {.landmarks = 24, .ridge = 1e-9, .inverse_steps = 30});
  EXPECT_LE(MaxDifference(out, Kernelised(heads, std::nullopt)), 1e-6);
}

TEST(SkyformerAttentionTest, TheErrorFallsAsLandmarksGrow) {
  const Heads heads = RandomHeads(2, 2, 64, 4, 7);
  const at::Tensor exact = Kernelised(heads, std::nullopt);
  double before = 1e9;
  for (const int64_t landmarks : {4, 16, 64, 128}) {
    const at::Tensor out = Skyformer(heads, std::nullopt,
                                     {.landmarks = landmarks, .ridge = 1e-3, .inverse_steps = 20});
    const double error = out.sub(exact).norm().item<double>() / exact.norm().item<double>();
    EXPECT_LT(error, before) << landmarks;
    before = error;
  }
  EXPECT_LE(before, 0.01);
}

TEST(SkyformerAttentionTest, PaddingDoesNotMatter) {
  Heads heads = RandomHeads(2, 2, 32, 8, 8);
  const at::Tensor lengths = MakeLengths({10, 32});
  const at::Tensor before = Skyformer(heads, lengths, {.landmarks = 32}).clone();
  for (at::Tensor* x : {&heads.q, &heads.k, &heads.v}) x->select(0, 0).slice(1, 10).fill_(3);
  const at::Tensor after = Skyformer(heads, lengths, {.landmarks = 32});
  EXPECT_TRUE(after.select(0, 0).slice(1, 0, 10).equal(before.select(0, 0).slice(1, 0, 10)));
  EXPECT_TRUE(after.select(0, 1).equal(before.select(0, 1)));
}

TEST(SkyformerAttentionTest, TheSeedDecides) {
  const Heads heads = RandomHeads(1, 2, 64, 8, 9);
  const SkyformerOptions options{.landmarks = 16};
  const at::Tensor first = Skyformer(heads, std::nullopt, options);
  EXPECT_TRUE(first.equal(Skyformer(heads, std::nullopt, options)));
  // The generator has moved on.
  EXPECT_FALSE(
      first.equal(SkyformerAttention(options).Forward(heads.q, heads.k, heads.v, std::nullopt)));
}

TEST(SkyformerAttentionTest, GradientsAreThoseOfFiniteDifferences) {
  const at::Tensor lengths = MakeLengths({6, 16});
  const auto skyformer = [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    return Skyformer({q, k, v}, lengths, {.landmarks = 8});
  };
  EXPECT_LE(GradientError(skyformer, RandomHeads(2, 2, 16, 8, 10)), 1e-6);
}

TEST(SkyformerAttentionTest, MixedPrecisionIsCloseToDouble) {
  const Heads heads = RandomHeads(2, 2, 64, 8, 12);
  const SkyformerOptions options{.landmarks = 32};
  const auto skyformer = [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    return Skyformer({q, k, v}, std::nullopt, options);
  };
  const at::Tensor expected = Skyformer(heads, std::nullopt, options);
  EXPECT_LE(MaxDifference(UnderAutocast(skyformer, heads), expected),
            0.05 * expected.abs().max().item<double>());
}

}  // namespace
}  // namespace spion
