// LinearMap on a GPU against the same in double on the CPU.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "spion/ops/gpu/autocast.h"
#include "spion/ops/gpu/gpu.h"
#include "spion/ops/gpu/leaf.h"
#include "spion/ops/token_rows.h"
#include "spion/testing/seed.h"

namespace spion {
namespace {

TEST(GpuLinearMapTest, UnderAutocastIsAProductOfBfloat16) {
  at::manual_seed(TestSeed(3));
  for (const int64_t width : {10, 64, 192}) {
    const Leaf x = MakeLeaf({40, 50, 64});
    const Leaf weight = MakeLeaf({width, 64});
    const Leaf bias = MakeLeaf({width});
    const at::Tensor grad = at::randn({40, 50, width}).to(at::kBFloat16);
    const at::Tensor out = [&] {
      const AutocastToBfloat16 autocast;
      return LinearMap(x.gpu, weight.gpu, bias.gpu);
    }();
    ASSERT_EQ(out.scalar_type(), at::kBFloat16);
    out.backward(grad.to(Gpu()));
    const at::Tensor expected = at::linear(x.wide, weight.wide, bias.wide);
    expected.backward(grad.to(at::kDouble));
    EXPECT_LE(RelativeError(out, expected), 0x1p-7);
    EXPECT_LE(RelativeError(x.gpu.grad(), x.wide.grad()), 0x1p-7);
    EXPECT_LE(RelativeError(weight.gpu.grad(), weight.wide.grad()), 0x1p-8);
    EXPECT_LE(RelativeError(bias.gpu.grad(), bias.wide.grad()), 1e-6);
    EXPECT_EQ(weight.gpu.grad().scalar_type(), at::kFloat);
  }
}

TEST(GpuLinearMapTest, Float32StaysFloat32) {
  at::manual_seed(TestSeed(4));
  const Leaf x = MakeLeaf({1000, 64});
  const Leaf weight = MakeLeaf({128, 64});
  const Leaf bias = MakeLeaf({128});
  const at::Tensor out = LinearMap(x.gpu, weight.gpu, bias.gpu);
  out.sum().backward();
  const at::Tensor expected = at::linear(x.wide, weight.wide, bias.wide);
  expected.sum().backward();
  EXPECT_LE(RelativeError(out, expected), 1e-6);
  EXPECT_LE(RelativeError(weight.gpu.grad(), weight.wide.grad()), 1e-5);
  EXPECT_LE(RelativeError(bias.gpu.grad(), bias.wide.grad()), 1e-6);
}

TEST(GpuLinearMapTest, GivesTheGradientsThatAreAskedFor) {
  at::manual_seed(TestSeed(20));
  const at::Tensor x = at::randn({10, 64}).to(Gpu()).requires_grad_();
  const at::Tensor weight = at::randn({32, 64}).to(Gpu());
  LinearMap(x, weight, weight.select(1, 0)).sum().backward();
  EXPECT_LE(RelativeError(x.grad(), weight.sum(0).expand({10, 64}).cpu().to(at::kDouble)), 1e-5);
}

TEST(GpuLinearMapTest, TakesHalvesDoublesAndNoRows) {
  at::manual_seed(TestSeed(21));
  for (const at::ScalarType dtype : {at::kHalf, at::kDouble, at::kFloat}) {
    const int64_t rows = dtype == at::kFloat ? 0 : 50;
    const at::Tensor x = at::randn({rows, 64}).to(dtype);
    const at::Tensor weight = at::randn({128, 64}).to(dtype);
    const at::Tensor bias = at::randn({128}).to(dtype).to(Gpu()).requires_grad_();
    const at::Tensor matrix = weight.to(Gpu()).requires_grad_();
    const at::Tensor out = LinearMap(x.to(Gpu()), matrix, bias);
    ASSERT_EQ(out.scalar_type(), dtype);
    out.sum().backward();
    const at::Tensor expected = x.to(at::kDouble).sum(0).expand({128, 64});
    const double tolerance = dtype == at::kDouble ? 1e-10 : 0.05;  // sums of up to 20, in halves
    EXPECT_LE((matrix.grad().cpu() - expected).abs().max().item<double>(), tolerance);
    EXPECT_TRUE(bias.grad().eq(rows).all().item<bool>());
  }
}

}  // namespace
}  // namespace spion
