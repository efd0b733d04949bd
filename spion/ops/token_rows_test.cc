#include "spion/ops/token_rows.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "spion/testing/seed.h"

namespace spion {
namespace {

at::Tensor Numbers(at::IntArrayRef sizes) { return at::randn(sizes).requires_grad_(); }

bool Near(const at::Tensor& a, const at::Tensor& b, double tolerance) {
  return a.to(at::kDouble).sub(b.to(at::kDouble)).abs().max().item<double>() <= tolerance;
}

TEST(LayerNormTest, IsTheFormulaWithItsGradients) {
  at::manual_seed(TestSeed(1));
  const at::Tensor x = Numbers({3, 5, 12});
  const at::Tensor weight = Numbers({12});
  const at::Tensor bias = Numbers({12});
  const at::Tensor grad = at::randn({3, 5, 12});
  const at::Tensor out = LayerNorm(x, weight, bias, at::kFloat);
  out.backward(grad);

  const auto wide = [](const at::Tensor& t) { return t.detach().to(at::kDouble).requires_grad_(); };
  const at::Tensor x2 = wide(x);
  const at::Tensor weight2 = wide(weight);
  const at::Tensor bias2 = wide(bias);
  const at::Tensor centred = x2 - x2.mean(-1, /*keepdim=*/true);
  const at::Tensor variance = centred.square().mean(-1, /*keepdim=*/true);
  const at::Tensor expected = centred / (variance + 1e-5).sqrt() * weight2 + bias2;
  expected.backward(grad.to(at::kDouble));
  EXPECT_TRUE(Near(out, expected, 1e-5));
  EXPECT_TRUE(Near(x.grad(), x2.grad(), 1e-5));
  EXPECT_TRUE(Near(weight.grad(), weight2.grad(), 1e-5));
  EXPECT_TRUE(Near(bias.grad(), bias2.grad(), 1e-5));
}

TEST(LayerNormTest, RoundsOnce) {
  at::manual_seed(TestSeed(3));
  const at::Tensor x = Numbers({7, 8});
  const at::Tensor weight = at::randn({8});
  const at::Tensor rounded = LayerNorm(x, weight, weight, at::kBFloat16);
  EXPECT_TRUE(rounded.equal(LayerNorm(x, weight, weight, at::kFloat).to(at::kBFloat16)));
  rounded.sum().backward();
  EXPECT_EQ(x.grad().scalar_type(), at::kFloat);
}

TEST(LinearTest, IsTheProductWithItsGradients) {
  at::manual_seed(TestSeed(2));
  const at::Tensor x = Numbers({4, 3, 6});
  const at::Tensor weight = Numbers({5, 6});
  const at::Tensor bias = Numbers({5});
  const at::Tensor grad = at::randn({4, 3, 5});
  const at::Tensor out = Linear(x, weight, bias);
  out.backward(grad);
  EXPECT_TRUE(Near(out, x.matmul(weight.t()) + bias, 1e-5));
  EXPECT_TRUE(Near(x.grad(), grad.matmul(weight), 1e-5));
  EXPECT_TRUE(Near(weight.grad(), grad.reshape({12, 5}).t().matmul(x.reshape({12, 6})), 1e-5));
  EXPECT_TRUE(Near(bias.grad(), grad.reshape({12, 5}).sum(0), 1e-5));
}

}  // namespace
}  // namespace spion
