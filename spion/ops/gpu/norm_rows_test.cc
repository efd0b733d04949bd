// NormRows and NormMean on a GPU against the same in double on the CPU.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <optional>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "spion/ops/gpu/gpu.h"
#include "spion/ops/gpu/leaf.h"
#include "spion/ops/token_rows.h"
#include "spion/testing/seed.h"

namespace spion {
namespace {

using NormParam = std::tuple<at::ScalarType, int64_t, int64_t>;
class GpuNormRowsTest : public testing::TestWithParam<NormParam> {};

TEST_P(GpuNormRowsTest, IsTheFormulaWithItsGradients) {
  const auto [dtype, rows, width] = GetParam();
  at::manual_seed(TestSeed(1));
  const Leaf x = MakeLeaf({rows, width}, /*mean=*/2);
  const Leaf weight = MakeLeaf({width}, 1);
  const Leaf bias = MakeLeaf({width});
  const at::Tensor grad = at::randn({rows, width}).to(dtype);
  const at::Tensor out = NormRows(x.gpu, weight.gpu, bias.gpu, dtype);
  ASSERT_EQ(out.scalar_type(), dtype);
  out.backward(grad.to(Gpu()));
  const at::Tensor expected = at::layer_norm(x.wide, {width}, weight.wide, bias.wide, /*eps=*/1e-5);
  expected.backward(grad.to(at::kDouble));
  EXPECT_LE(RelativeError(out, expected), dtype == at::kFloat ? 1e-6 : 0x1p-8);
  EXPECT_LE(RelativeError(x.gpu.grad(), x.wide.grad()), 1e-6);
  EXPECT_LE(RelativeError(weight.gpu.grad(), weight.wide.grad()), 3e-6);
  EXPECT_LE(RelativeError(bias.gpu.grad(), bias.wide.grad()), 3e-6);
}

INSTANTIATE_TEST_SUITE_P(All, GpuNormRowsTest,
                         testing::Combine(testing::Values(at::kFloat, at::kBFloat16),
                                          testing::Values(1, 63, 1000, 70000),
                                          testing::Values(64, 128, 256, 512)),
                         [](const testing::TestParamInfo<NormParam>& info) {
                           return absl::StrCat(toString(std::get<0>(info.param)), "Rows",
                                               std::get<1>(info.param), "Width",
                                               std::get<2>(info.param));
                         });

TEST(GpuNormRowsFormTest, SameBitsEveryRunAndAnyView) {
  at::manual_seed(TestSeed(2));
  const Leaf weight = MakeLeaf({64});
  const at::Tensor x = at::randn({64, 5000}).to(Gpu()).t();  // not contiguous
  const auto gradient = [&](const at::Tensor& of) {
    weight.gpu.mutable_grad().reset();
    NormRows(of, weight.gpu, weight.gpu.detach(), at::kFloat).sum().backward();
    return weight.gpu.grad();
  };
  const at::Tensor first = gradient(x);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(gradient(x.contiguous()).equal(first));
}

TEST(GpuNormMeanTest, IsTheFormulaWithItsGradients) {
  for (const int64_t width : {64, 512}) {
    for (const bool is_padded : {false, true}) {
      at::manual_seed(TestSeed(6));
      const Leaf x = MakeLeaf({5, 700, width}, /*mean=*/2);
      const Leaf weight = MakeLeaf({width}, 1);
      const Leaf bias = MakeLeaf({width});
      const at::Tensor grad = at::randn({5, width});
      const at::Tensor lengths = at::tensor({700, 0, 1, 256, 699}, at::kInt);
      std::optional<at::Tensor> there;
      at::Tensor expected = at::layer_norm(x.wide, {width}, weight.wide, bias.wide, /*eps=*/1e-5);
      if (is_padded) {
        there = lengths.to(Gpu());
        expected = expected * at::arange(700).lt(lengths.unsqueeze(1)).unsqueeze(2);
      }
      expected = expected.sum(1) / 700;
      const at::Tensor out = NormMean(x.gpu, weight.gpu, bias.gpu, there);
      out.backward(grad.to(Gpu()));
      expected.backward(grad.to(at::kDouble));
      EXPECT_LE(RelativeError(out, expected), 1e-6);
      EXPECT_LE(RelativeError(x.gpu.grad(), x.wide.grad()), 1e-6);
      EXPECT_LE(RelativeError(weight.gpu.grad(), weight.wide.grad()), 3e-6);
      EXPECT_LE(RelativeError(bias.gpu.grad(), bias.wide.grad()), 3e-6);
    }
  }
}

TEST(GpuNormRowsFormTest, OtherWidthsTypesAndNoRowsAreLibTorchs) {
  at::manual_seed(TestSeed(5));
  for (const auto& [rows, width, dtype] :
       {std::tuple(40, 96, at::kFloat), std::tuple(40, 64, at::kHalf),
        std::tuple(0, 64, at::kFloat), std::tuple(7, 1, at::kBFloat16)}) {
    const Leaf x = MakeLeaf({rows, width});
    const Leaf weight = MakeLeaf({width}, 1);
    const at::Tensor out = NormRows(x.gpu, weight.gpu, weight.gpu, dtype);
    ASSERT_EQ(out.scalar_type(), dtype);
    ASSERT_EQ(out.sizes(), x.gpu.sizes());
    out.sum().backward();
    ASSERT_EQ(x.gpu.grad().sizes(), x.gpu.sizes());
    const at::Tensor expected =
        at::layer_norm(x.wide, {width}, weight.wide, weight.wide, /*eps=*/1e-5);
    if (rows == 0) continue;
    EXPECT_LE(RelativeError(out, expected), dtype == at::kFloat ? 1e-6 : 0x1p-8);
  }
}

}  // namespace
}  // namespace spion
