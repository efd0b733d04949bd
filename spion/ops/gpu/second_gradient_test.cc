// A gradient of a gradient is an error of every operator, not a wrong number. The same on a CPU:
// spion/ops/once_differentiable_test.cc.
#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <functional>
#include <optional>
#include <string>

#include "spion/ops/block_sparse_attention.h"
#include "spion/ops/classifier.h"
#include "spion/ops/encoder_layer.h"
#include "spion/ops/gpu/autocast.h"
#include "spion/ops/gpu/gpu.h"
#include "spion/ops/materialised_attention.h"
#include "spion/ops/token_rows.h"
#include "spion/testing/pattern_zoo.h"

namespace spion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// `call` makes a result of a leaf of the given sizes and type.
void ExpectRefused(const std::string& name, at::IntArrayRef sizes, at::ScalarType dtype,
                   const std::function<at::Tensor(const at::Tensor&)>& call) {
  const at::Tensor leaf = at::randn(sizes).to(Gpu(), dtype).requires_grad_();
  const at::Tensor result = call(leaf);
  const at::Tensor gradient = torch::autograd::grad({result.sum()}, {leaf}, {},
                                                    /*retain_graph=*/true,
                                                    /*create_graph=*/true)[0];
  EXPECT_EQ(gradient.sizes(), leaf.sizes());
  EXPECT_TRUE(gradient.equal(torch::autograd::grad({result.sum()}, {leaf})[0])) << name;
  EXPECT_THAT([&] { gradient.square().sum().backward(); },
              ::testing::ThrowsMessage<c10::Error>(
                  AllOf(HasSubstr(name + " is differentiable once"), HasSubstr("detach()"))));
}

TEST(SecondGradientTest, BlockSparseAttention) {
  const PatternTensors pattern = ToTensors(LongColumns(4, 32), Gpu());
  for (const at::ScalarType dtype : {at::kFloat, at::kHalf, at::kBFloat16}) {
    ExpectRefused("BlockSparseAttention", {2, 3, 128, 32}, dtype, [&](const at::Tensor& q) {
      return BlockSparseAttention(q, q, q, pattern, std::nullopt, PrunedScore::kZero);
    });
  }
}

TEST(SecondGradientTest, MaterialisedAttention) {
  ExpectRefused("MaterialisedAttention", {2, 3, 64, 32}, at::kBFloat16,
                [](const at::Tensor& q) { return MaterialisedAttention(q, q, q, std::nullopt); });
}

TEST(SecondGradientTest, TokenRows) {
  const at::Tensor weight = at::randn({64}).to(Gpu());
  const at::Tensor positions = at::randn({16, 64}).to(Gpu());
  const at::Tensor ids = at::zeros({4, 16}, at::kLong).to(Gpu());
  const at::Tensor matrix = at::randn({128, 64}).to(Gpu());
  const at::Tensor offset = at::randn({128}).to(Gpu());
  ExpectRefused("NormRows", {4, 16, 64}, at::kFloat,
                [&](const at::Tensor& x) { return NormRows(x, weight, weight, at::kFloat); });
  ExpectRefused("AddNorm", {4, 16, 64}, at::kFloat, [&](const at::Tensor& x) {
    const NormedSum result = AddNorm(x, x, 0.1, weight, weight, at::kFloat);
    return result.sum + result.normed;
  });
  ExpectRefused("EmbedNorm", {7, 64}, at::kFloat, [&](const at::Tensor& tokens) {
    return EmbedNorm(ids, tokens, positions, 0.1, weight, weight, at::kFloat).normed;
  });
  ExpectRefused("GeluDropout", {4, 16, 64}, at::kFloat,
                [&](const at::Tensor& x) { return GeluDropout(x, 0.1); });
  ExpectRefused("NormMean", {4, 16, 64}, at::kFloat,
                [&](const at::Tensor& x) { return NormMean(x, weight, weight, std::nullopt); });
  ExpectRefused("LinearMap", {4, 16, 64}, at::kFloat,
                [&](const at::Tensor& x) { return LinearMap(x, matrix, offset); });
}

TEST(SecondGradientTest, EncoderLayer) {
  const AutocastToBfloat16 autocast;
  const auto parameters = [](int64_t out, int64_t in) {
    return WeightAndBias{at::randn({out, in}).to(Gpu()), at::randn({out}).to(Gpu())};
  };
  const at::Tensor vector = at::randn({64}).to(Gpu());
  const WeightAndBias norm = {vector, vector};
  ExpectRefused("PreAttention", {40, 64}, at::kFloat, [&](const at::Tensor& x) {
    return PreAttention(x, norm, parameters(192, 64)).qkv.to(at::kFloat);
  });
  const at::Tensor x = at::randn({40, 64}).to(Gpu());
  const PostAttentionLayers layers = {parameters(64, 64), norm, parameters(128, 64),
                                      parameters(64, 128)};
  ExpectRefused("PostAttention", {40, 64}, at::kBFloat16, [&](const at::Tensor& heads) {
    return PostAttention(x, heads, layers, /*dropout=*/0);
  });
}

TEST(SecondGradientTest, Classifier) {
  const AutocastToBfloat16 autocast;
  const auto random = [](at::IntArrayRef sizes) { return at::randn(sizes).to(Gpu()); };
  const WeightAndBias hidden = {random({128, 64}), random({128})};
  const WeightAndBias classes = {random({10, 128}), random({10})};
  ExpectRefused("Classify", {8, 64}, at::kFloat,
                [&](const at::Tensor& x) { return Classify(x, hidden, classes); });
  const at::Tensor labels = at::zeros({8}, at::kLong).to(Gpu());
  ExpectRefused("JudgeLogits", {8, 10}, at::kFloat,
                [&](const at::Tensor& logits) { return JudgeLogits(logits, labels).loss; });
}

}  // namespace
}  // namespace spion
