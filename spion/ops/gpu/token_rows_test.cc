// The operators of token_rows.h on a GPU against the same in double on the CPU.
#include "spion/ops/token_rows.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <tuple>

#include "absl/strings/str_cat.h"
#include "spion/ops/gpu/gpu.h"
#include "spion/testing/seed.h"

namespace spion {
namespace {

// A leaf on the GPU and the same in double on the CPU.
struct Leaf {
  at::Tensor gpu;
  at::Tensor wide;
};
Leaf MakeLeaf(at::IntArrayRef sizes, double mean = 0) {
  const at::Tensor value = at::randn(sizes).add_(mean);
  return {value.to(Gpu()).requires_grad_(), value.to(at::kDouble).requires_grad_()};
}

double RelativeError(const at::Tensor& result, const at::Tensor& expected) {
  const at::Tensor difference = result.detach().cpu().to(at::kDouble) - expected.detach();
  return (difference.norm() / expected.detach().norm()).item<double>();
}

class AutocastToBfloat16 {
 public:
  AutocastToBfloat16() {
    at::autocast::set_autocast_enabled(at::kCUDA, true);
    at::autocast::set_autocast_dtype(at::kCUDA, at::kBFloat16);
  }
  ~AutocastToBfloat16() {
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCUDA, false);
  }
};

using NormParam = std::tuple<at::ScalarType, int64_t, int64_t>;
class GpuLayerNormTest : public testing::TestWithParam<NormParam> {};

TEST_P(GpuLayerNormTest, IsTheFormulaWithItsGradients) {
  const auto [dtype, rows, width] = GetParam();
  at::manual_seed(TestSeed(1));
  const Leaf x = MakeLeaf({rows, width}, /*mean=*/2);
  const Leaf weight = MakeLeaf({width}, 1);
  const Leaf bias = MakeLeaf({width});
  const at::Tensor grad = at::randn({rows, width}).to(dtype);
  const at::Tensor out = LayerNorm(x.gpu, weight.gpu, bias.gpu, dtype);
  ASSERT_EQ(out.scalar_type(), dtype);
  out.backward(grad.to(Gpu()));
  const at::Tensor expected = at::layer_norm(x.wide, {width}, weight.wide, bias.wide, /*eps=*/1e-5);
  expected.backward(grad.to(at::kDouble));
  EXPECT_LE(RelativeError(out, expected), dtype == at::kFloat ? 1e-6 : 0x1p-8);
  EXPECT_LE(RelativeError(x.gpu.grad(), x.wide.grad()), 1e-6);
  EXPECT_LE(RelativeError(weight.gpu.grad(), weight.wide.grad()), 3e-6);
  EXPECT_LE(RelativeError(bias.gpu.grad(), bias.wide.grad()), 3e-6);
}

INSTANTIATE_TEST_SUITE_P(All, GpuLayerNormTest,
                         testing::Combine(testing::Values(at::kFloat, at::kBFloat16),
                                          testing::Values(1, 63, 1000, 70000),
                                          testing::Values(64, 128, 256, 512)),
                         [](const testing::TestParamInfo<NormParam>& info) {
                           return absl::StrCat(toString(std::get<0>(info.param)), "Rows",
                                               std::get<1>(info.param), "Width",
                                               std::get<2>(info.param));
                         });

TEST(GpuLayerNormTest, SameBitsEveryRunAndAnyView) {
  at::manual_seed(TestSeed(2));
  const Leaf weight = MakeLeaf({64});
  const at::Tensor x = at::randn({64, 5000}).to(Gpu()).t();  // not contiguous
  const auto gradient = [&](const at::Tensor& of) {
    weight.gpu.mutable_grad().reset();
    LayerNorm(of, weight.gpu, weight.gpu.detach(), at::kFloat).sum().backward();
    return weight.gpu.grad();
  };
  const at::Tensor first = gradient(x);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(gradient(x.contiguous()).equal(first));
}

TEST(GpuLayerNormTest, NamesTheWidthsThatItTakes) {
  const at::Tensor x = at::randn({4, 96}).to(Gpu());
  try {
    LayerNorm(x, x[0], x[1], at::kFloat);
    FAIL() << "took a width of 96";
  } catch (const c10::Error& error) {
    EXPECT_NE(error.msg().find("64, 128, 256 or 512"), std::string::npos) << error.msg();
  }
}

TEST(GpuLinearTest, UnderAutocastIsAProductOfBfloat16) {
  at::manual_seed(TestSeed(3));
  for (const int64_t width : {10, 64, 192}) {
    const Leaf x = MakeLeaf({40, 50, 64});
    const Leaf weight = MakeLeaf({width, 64});
    const Leaf bias = MakeLeaf({width});
    const at::Tensor grad = at::randn({40, 50, width}).to(at::kBFloat16);
    const at::Tensor out = [&] {
      const AutocastToBfloat16 autocast;
      return Linear(x.gpu, weight.gpu, bias.gpu);
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

TEST(GpuLinearTest, Float32StaysFloat32) {
  at::manual_seed(TestSeed(4));
  const Leaf x = MakeLeaf({1000, 64});
  const Leaf weight = MakeLeaf({128, 64});
  const Leaf bias = MakeLeaf({128});
  const at::Tensor out = Linear(x.gpu, weight.gpu, bias.gpu);
  out.sum().backward();
  const at::Tensor expected = at::linear(x.wide, weight.wide, bias.wide);
  expected.sum().backward();
  EXPECT_LE(RelativeError(out, expected), 1e-6);
  EXPECT_LE(RelativeError(weight.gpu.grad(), weight.wide.grad()), 1e-5);
  EXPECT_LE(RelativeError(bias.gpu.grad(), bias.wide.grad()), 1e-6);
}

}  // namespace
}  // namespace spion
