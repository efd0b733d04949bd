#include "spion/ops/token_rows.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "spion/testing/seed.h"

namespace spion {
namespace {

at::Tensor Numbers(at::IntArrayRef sizes) { return at::randn(sizes).requires_grad_(); }

bool Near(const at::Tensor& a, const at::Tensor& b, double tolerance) {
  return a.to(at::kDouble).sub(b.to(at::kDouble)).abs().max().item<double>() <= tolerance;
}

// The formula in double, for the tests of AddNorm and EmbedNorm.
at::Tensor Normalise(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const at::Tensor centred = x - x.mean(-1, /*keepdim=*/true);
  const at::Tensor variance = centred.square().mean(-1, /*keepdim=*/true);
  return centred / (variance + 1e-5).sqrt() * weight + bias;
}

at::Tensor Wide(const at::Tensor& tensor) {
  return tensor.detach().to(at::kDouble).requires_grad_();
}

TEST(NormRowsTest, IsTheFormulaWithItsGradients) {
  at::manual_seed(TestSeed(1));
  const at::Tensor x = Numbers({3, 5, 12});
  const at::Tensor weight = Numbers({12});
  const at::Tensor bias = Numbers({12});
  const at::Tensor grad = at::randn({3, 5, 12});
  const at::Tensor out = NormRows(x, weight, bias, at::kFloat);
  out.backward(grad);

  const at::Tensor x2 = Wide(x);
  const at::Tensor weight2 = Wide(weight);
  const at::Tensor bias2 = Wide(bias);
  const at::Tensor expected = Normalise(x2, weight2, bias2);
  expected.backward(grad.to(at::kDouble));
  EXPECT_TRUE(Near(out, expected, 1e-5));
  EXPECT_TRUE(Near(x.grad(), x2.grad(), 1e-5));
  EXPECT_TRUE(Near(weight.grad(), weight2.grad(), 1e-5));
  EXPECT_TRUE(Near(bias.grad(), bias2.grad(), 1e-5));
}

TEST(NormMeanTest, IsTheFormulaWithItsGradients) {
  at::manual_seed(TestSeed(2));
  const at::Tensor x = Numbers({3, 5, 12});
  const at::Tensor weight = Numbers({12});
  const at::Tensor bias = Numbers({12});
  const at::Tensor lengths = at::tensor({5, 0, 2}, at::kInt);
  const at::Tensor grad = at::randn({3, 12});
  for (const bool is_padded : {false, true}) {
    for (const at::Tensor& operand : {x, weight, bias}) operand.mutable_grad().reset();
    const at::Tensor out =
        NormMean(x, weight, bias, is_padded ? std::optional(lengths) : std::nullopt);
    out.backward(grad);

    const at::Tensor x2 = Wide(x);
    const at::Tensor weight2 = Wide(weight);
    const at::Tensor bias2 = Wide(bias);
    const at::Tensor normed = Normalise(x2, weight2, bias2);
    std::vector<at::Tensor> means;
    for (int64_t i = 0; i < 3; ++i) {
      const int64_t counted = is_padded ? lengths[i].item<int64_t>() : 5;
      means.push_back(normed[i].slice(0, 0, counted).sum(0) / 5);
    }
    const at::Tensor expected = at::stack(means);
    expected.backward(grad.to(at::kDouble));
    EXPECT_TRUE(Near(out, expected, 1e-5));
    EXPECT_TRUE(Near(x.grad(), x2.grad(), 1e-5));
    EXPECT_TRUE(Near(weight.grad(), weight2.grad(), 1e-5));
    EXPECT_TRUE(Near(bias.grad(), bias2.grad(), 1e-5));
  }
}

TEST(NormMeanTest, RefusesLengthsOfOtherSizes) {
  const at::Tensor weight = at::ones({8});
  EXPECT_THAT(
      [&] {
        NormMean(Numbers({2, 3, 8}), weight, weight, at::ones({3}, at::kInt));
      },
      testing::ThrowsMessage<c10::Error>(
          testing::HasSubstr("lengths must be [2], one for each sequence; got [3]")));
}

TEST(AddNormTest, RefusesABranchOfOtherSizes) {
  const at::Tensor x = Numbers({2, 3, 8});
  const at::Tensor weight = at::ones({8});
  EXPECT_THAT(
      [&] {
        AddNorm(x, Numbers({3, 8}), 0, weight, weight, at::kFloat);
      },
      testing::ThrowsMessage<c10::Error>(
          testing::HasSubstr("branch must be [2, 3, 8] as x is; got [3, 8]")));
}

TEST(EmbedNormTest, RefusesPositionsOfOtherSizes) {
  const at::Tensor ids = at::zeros({2, 3}, at::kLong);
  const at::Tensor weight = at::ones({8});
  EXPECT_THAT(
      [&] {
        EmbedNorm(ids, Numbers({4, 8}), Numbers({1, 8}), 0, weight, weight, at::kFloat);
      },
      testing::ThrowsMessage<c10::Error>(
          testing::HasSubstr("positions must be [3, 8], of the length")));
}

TEST(NormRowsTest, RoundsOnce) {
  at::manual_seed(TestSeed(3));
  const at::Tensor x = Numbers({7, 8});
  const at::Tensor weight = at::randn({8});
  const at::Tensor rounded = NormRows(x, weight, weight, at::kBFloat16);
  EXPECT_TRUE(rounded.equal(NormRows(x, weight, weight, at::kFloat).to(at::kBFloat16)));
  rounded.sum().backward();
  EXPECT_EQ(x.grad().scalar_type(), at::kFloat);
}

TEST(NormRowsTest, TakesNoRows) {
  const at::Tensor x = Numbers({0, 8});
  const at::Tensor weight = Numbers({8});
  const at::Tensor out = NormRows(x, weight, weight, at::kFloat);
  EXPECT_EQ(out.sizes(), x.sizes());
  out.sum().backward();
  EXPECT_TRUE(weight.grad().eq(0).all().item<bool>());
}

// What a dropout of ones draws in the given state of the generator.
at::Tensor Factors(at::IntArrayRef sizes, double dropout, uint64_t seed) {
  at::manual_seed(seed);
  return at::dropout(at::ones(sizes), dropout, /*train=*/true).to(at::kDouble);
}

constexpr double kDropout = 0.25;

TEST(AddNormTest, IsTheFormulaWithItsGradients) {
  const at::Tensor x = Numbers({3, 5, 12});
  const at::Tensor branch = Numbers({3, 5, 12});
  const at::Tensor weight = Numbers({12});
  const at::Tensor bias = Numbers({12});
  const at::Tensor grad_sum = at::randn({3, 5, 12});
  const at::Tensor grad = at::randn({3, 5, 12});
  const at::Tensor factors = Factors(x.sizes(), kDropout, TestSeed(4));
  at::manual_seed(TestSeed(4));
  const NormedSum result = AddNorm(x, branch, kDropout, weight, bias, at::kFloat);
  ((result.sum * grad_sum).sum() + (result.normed * grad).sum()).backward();

  const at::Tensor leaves[] = {Wide(x), Wide(branch), Wide(weight), Wide(bias)};
  const at::Tensor sum = leaves[0] + leaves[1] * factors;
  const at::Tensor normed = Normalise(sum, leaves[2], leaves[3]);
  ((sum * grad_sum).sum() + (normed * grad).sum()).backward();
  EXPECT_TRUE(Near(result.sum, sum, 1e-6));
  EXPECT_TRUE(Near(result.normed, normed, 1e-5));
  EXPECT_TRUE(Near(x.grad(), leaves[0].grad(), 1e-5));
  EXPECT_TRUE(Near(branch.grad(), leaves[1].grad(), 1e-5));
  EXPECT_TRUE(Near(weight.grad(), leaves[2].grad(), 1e-5));
  EXPECT_TRUE(Near(bias.grad(), leaves[3].grad(), 1e-5));
}

TEST(EmbedNormTest, IsTheFormulaWithItsGradients) {
  const at::Tensor ids = at::tensor({3, 0, 3, 1, 2, 3, 0, 0}, at::kInt).view({2, 4});
  const at::Tensor tokens = Numbers({5, 12});
  const at::Tensor positions = Numbers({4, 12});
  const at::Tensor weight = Numbers({12});
  const at::Tensor bias = Numbers({12});
  const at::Tensor grad_sum = at::randn({2, 4, 12});
  const at::Tensor grad = at::randn({2, 4, 12});
  const at::Tensor factors = Factors(grad.sizes(), kDropout, TestSeed(5));
  at::manual_seed(TestSeed(5));
  const NormedSum result = EmbedNorm(ids, tokens, positions, kDropout, weight, bias, at::kFloat);
  ((result.sum * grad_sum).sum() + (result.normed * grad).sum()).backward();

  const at::Tensor leaves[] = {Wide(tokens), Wide(positions), Wide(weight), Wide(bias)};
  const at::Tensor sum =
      (leaves[0].index_select(0, ids.flatten()).view(grad.sizes()) + leaves[1]) * factors;
  const at::Tensor normed = Normalise(sum, leaves[2], leaves[3]);
  ((sum * grad_sum).sum() + (normed * grad).sum()).backward();
  EXPECT_TRUE(Near(result.sum, sum, 1e-6));
  EXPECT_TRUE(Near(result.normed, normed, 1e-5));
  EXPECT_TRUE(Near(tokens.grad(), leaves[0].grad(), 1e-5));
  EXPECT_TRUE(Near(positions.grad(), leaves[1].grad(), 1e-5));
  EXPECT_TRUE(Near(weight.grad(), leaves[2].grad(), 1e-5));
  EXPECT_TRUE(Near(bias.grad(), leaves[3].grad(), 1e-5));
}

TEST(EmbedTest, IsTheFormulaWithItsGradients) {
  const at::Tensor ids = at::tensor({3, 0, 3, 1, 2, 3, 0, 0}, at::kInt).view({2, 4});
  const at::Tensor tokens = Numbers({5, 12});
  const at::Tensor positions = Numbers({4, 12});
  const at::Tensor grad = at::randn({2, 4, 12});
  const at::Tensor factors = Factors(grad.sizes(), kDropout, TestSeed(7));
  at::manual_seed(TestSeed(7));
  const at::Tensor result = Embed(ids, tokens, positions, kDropout);
  result.backward(grad);
  const at::Tensor leaves[] = {Wide(tokens), Wide(positions)};
  const at::Tensor sum =
      (leaves[0].index_select(0, ids.flatten()).view(grad.sizes()) + leaves[1]) * factors;
  sum.backward(grad.to(at::kDouble));
  EXPECT_TRUE(Near(result, sum, 1e-6));
  EXPECT_TRUE(Near(tokens.grad(), leaves[0].grad(), 1e-5));
  EXPECT_TRUE(Near(positions.grad(), leaves[1].grad(), 1e-5));
}

TEST(GeluDropoutTest, IsTheFormulaWithItsGradient) {
  const at::Tensor x = Numbers({7, 9});
  const at::Tensor grad = at::randn({7, 9});
  const at::Tensor factors = Factors(x.sizes(), kDropout, TestSeed(6));
  at::manual_seed(TestSeed(6));
  const at::Tensor out = GeluDropout(x, kDropout);
  out.backward(grad);
  const at::Tensor x2 = Wide(x);
  const at::Tensor expected = x2 * (1 + (x2 / std::sqrt(2.0)).erf()) / 2 * factors;
  expected.backward(grad.to(at::kDouble));
  EXPECT_TRUE(Near(out, expected, 1e-6));
  EXPECT_TRUE(Near(x.grad(), x2.grad(), 1e-6));
}

TEST(DropoutTest, OfZeroDrawsNothing) {
  const at::Tensor x = Numbers({4, 8});
  const at::Tensor weight = Numbers({8});
  at::manual_seed(TestSeed(7));
  const at::Tensor next = at::randn({3});
  at::manual_seed(TestSeed(7));
  AddNorm(x, x, 0, weight, weight, at::kFloat);
  GeluDropout(x, 0);
  EXPECT_TRUE(at::randn({3}).equal(next));
}

TEST(DropoutTest, RefusesOtherProbabilities) {
  const at::Tensor x = Numbers({4, 8});
  for (const double dropout : {1.0, -0.1, std::nan("")}) {
    EXPECT_THROW(AddNorm(x, x, dropout, x[0], x[0], at::kFloat), c10::Error) << dropout;
    EXPECT_THROW(GeluDropout(x, dropout), c10::Error) << dropout;
    EXPECT_THROW(EmbedNorm(at::zeros({2, 4}, at::kLong), x, x, dropout, x[0], x[0], at::kFloat),
                 c10::Error)
        << dropout;
  }
}

TEST(LinearMapTest, IsTheProductWithItsGradients) {
  at::manual_seed(TestSeed(2));
  const at::Tensor x = Numbers({4, 3, 6});
  const at::Tensor weight = Numbers({5, 6});
  const at::Tensor bias = Numbers({5});
  const at::Tensor grad = at::randn({4, 3, 5});
  const at::Tensor out = LinearMap(x, weight, bias);
  out.backward(grad);
  EXPECT_TRUE(Near(out, x.matmul(weight.t()) + bias, 1e-5));
  EXPECT_TRUE(Near(x.grad(), grad.matmul(weight), 1e-5));
  EXPECT_TRUE(Near(weight.grad(), grad.reshape({12, 5}).t().matmul(x.reshape({12, 6})), 1e-5));
  EXPECT_TRUE(Near(bias.grad(), grad.reshape({12, 5}).sum(0), 1e-5));
}

}  // namespace
}  // namespace spion
