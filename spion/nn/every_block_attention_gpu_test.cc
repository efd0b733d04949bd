// Attention with every block on a GPU: its kernels' bits and no others, in a fixed order, as exact
// as LibTorch's in the same type (the rule of spion/ops/gpu), with padding.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "spion/nn/every_block_attention.h"
#include "spion/nn/fused_dense_attention.h"
#include "spion/nn/padding.h"
#include "spion/nn/spion_attention.h"
#include "spion/ops/block_sparse_attention.h"
#include "spion/testing/pattern_zoo.h"
#include "spion/testing/seed.h"

namespace spion {
namespace {

const c10::Device kGpu(at::kCUDA, 0);
constexpr int64_t kBatch = 3;
constexpr int64_t kHeads = 2;
constexpr int64_t kHeadDim = 32;

using Attend = std::function<at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&)>;

struct Results {
  at::Tensor out;   // [B, H, L, d], of valid queries: those of the others are zero
  at::Tensor grad;  // of the fused projection

  bool operator==(const Results& other) const {
    return out.equal(other.out) && grad.equal(other.grad);
  }
};

// A fused projection and what the outputs are weighted with, in numbers that bf16 holds.
struct Case {
  explicit Case(int64_t length) {
    at::manual_seed(TestSeed(23));
    lengths = at::tensor({static_cast<int>(length), 1, static_cast<int>(length / 2 + 3)}, at::kInt);
    input = at::randn({kBatch, length, 3, kHeads, kHeadDim}).to(at::kBFloat16).to(at::kDouble);
    const at::Tensor valid = ValidPositions(lengths, length).view({kBatch, 1, length, 1});
    weights = at::randn({kBatch, kHeads, length, kHeadDim}).to(at::kBFloat16).to(at::kDouble) *
              valid.to(at::kDouble);
  }

  Results Run(const Attend& attend, const at::TensorOptions& options) const {
    const at::Tensor fused = input.to(options, false, /*copy=*/true).requires_grad_();
    const std::vector<at::Tensor> qkv = fused.permute({2, 0, 3, 1, 4}).unbind(0);
    const at::Tensor there = weights.to(options);
    const at::Tensor out = attend(qkv[0], qkv[1], qkv[2]);
    (out * there).sum().backward();
    return {.out = (out * there.ne(0)).detach(), .grad = fused.grad()};
  }
  Results Run(Attention& attention, const Lengths& of_run, at::ScalarType type) const {
    return Run([&](const at::Tensor& q, const at::Tensor& k,
                   const at::Tensor& v) { return attention.Forward(q, k, v, of_run); },
               at::TensorOptions(kGpu).dtype(type));
  }

  at::Tensor input;    // double [B, L, 3, H, d]
  at::Tensor weights;  // double [B, H, L, d], zero where a query is padding
  at::Tensor lengths;  // int32 [B]
};

double Error(const at::Tensor& result, const at::Tensor& truth) {
  return ((result.cpu().to(at::kDouble) - truth).norm() / truth.norm()).item<double>();
}

// A length, and the largest block of 64, 32 and 16 that divides it.
class EveryBlockAttentionGpuTest : public ::testing::TestWithParam<std::tuple<int64_t, int>> {};

TEST_P(EveryBlockAttentionGpuTest, IsAsExactAsTheFrameworkWithItsGradients) {
  const auto [length, block] = GetParam();
  const Case c(length);
  const at::Tensor mask = ValidPositions(c.lengths, length).view({kBatch, 1, 1, length});
  const Attend plain = [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    return at::scaled_dot_product_attention(q, k, v, mask.to(q.device()));
  };
  const Results truth = c.Run(plain, at::TensorOptions(at::kDouble));
  const Results framework = c.Run(plain, at::TensorOptions(kGpu).dtype(at::kBFloat16));
  EveryBlockAttention attention(/*layer=*/0, length, kGpu);
  const Results ours = c.Run(attention, c.lengths.to(kGpu), at::kBFloat16);
  EXPECT_LE(Error(ours.out, truth.out), 2 * Error(framework.out, truth.out) + 1e-4);
  EXPECT_LE(Error(ours.grad, truth.grad), 3 * Error(framework.grad, truth.grad) + 1e-4);
}

TEST_P(EveryBlockAttentionGpuTest, IsBlockSparseAttentionAndSpionsDensePhaseToTheBit) {
  const auto [length, block] = GetParam();
  const Case c(length);
  const PatternTensors pattern =
      ToTensors(AllBlocks(static_cast<int>(length / block), block), kGpu);
  EveryBlockAttention attention(/*layer=*/0, length, kGpu);
  SpionAttention spion(/*layer=*/0, length, kGpu, PrunedScore::kZero);
  const auto expect_same = [&](const Lengths& lengths, at::ScalarType type) {
    const Results results = c.Run(attention, lengths, type);
    const Results kernels = c.Run(
        [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
          return BlockSparseAttention(q, k, v, pattern, lengths, PrunedScore::kExcluded);
        },
        at::TensorOptions(kGpu).dtype(type));
    EXPECT_TRUE(results == kernels);
    EXPECT_TRUE(results == c.Run(spion, lengths, type));
  };
  expect_same(c.lengths.to(kGpu), at::kBFloat16);
  expect_same(c.lengths.to(kGpu), at::kFloat);
  expect_same(std::nullopt, at::kBFloat16);
}

TEST_P(EveryBlockAttentionGpuTest, GivesTheSameBitsEveryTime) {
  const auto [length, block] = GetParam();
  const Case c(length);
  EveryBlockAttention attention(/*layer=*/0, length, kGpu);
  for (const Lengths& lengths : {Lengths(), Lengths(c.lengths.to(kGpu))}) {
    const Results first = c.Run(attention, lengths, at::kBFloat16);
    for (int repeat = 1; repeat < 20; ++repeat) {
      ASSERT_TRUE(c.Run(attention, lengths, at::kBFloat16) == first) << "repeat " << repeat;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Lengths, EveryBlockAttentionGpuTest,
                         ::testing::Values(std::tuple(1024, 64), std::tuple(96, 32),
                                           std::tuple(80, 16)),
                         [](const auto& info) {
                           return "Length" + std::to_string(std::get<0>(info.param));
                         });

TEST(EveryBlockAttentionGpuFallbackTest, IsLibTorchsWhereTheHeaderSaysSo) {
  const auto expect_fused = [](const Case& c, const Lengths& lengths, at::ScalarType type) {
    EveryBlockAttention attention(/*layer=*/0, c.input.size(1), kGpu);
    FusedDenseAttention fused;
    // Forward alone: LibTorch's gradients are in no fixed order.
    EXPECT_TRUE(c.Run(attention, lengths, type).out.equal(c.Run(fused, lengths, type).out));
  };
  const Case divided(64), undivided(72);
  expect_fused(divided, std::nullopt, at::kFloat);
  expect_fused(undivided, std::nullopt, at::kBFloat16);
  expect_fused(undivided, undivided.lengths.to(kGpu), at::kBFloat16);
}

}  // namespace
}  // namespace spion
