// What drops, of token_rows.h, on a GPU against the same in double on the CPU: the mask is what the
// result says it is.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <functional>
#include <string>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "spion/ops/gpu/dropped.h"
#include "spion/ops/gpu/gpu.h"
#include "spion/ops/gpu/leaf.h"
#include "spion/ops/token_rows.h"
#include "spion/testing/seed.h"

namespace spion {
namespace {

// The formula in double: no LibTorch function of the GPU.
at::Tensor WideNorm(const at::Tensor& sum, const at::Tensor& weight, const at::Tensor& bias) {
  return at::layer_norm(sum, weight.sizes(), weight, bias, /*eps=*/1e-5);
}

double Tolerance(at::ScalarType dtype) { return dtype == at::kFloat ? 2e-6 : 0x1p-8; }

using AddNormParam = std::tuple<at::ScalarType, at::ScalarType, int64_t, int64_t>;
class GpuAddNormTest : public testing::TestWithParam<AddNormParam> {};

TEST_P(GpuAddNormTest, IsTheFormulaWithItsGradients) {
  const auto [branch_dtype, dtype, rows, width] = GetParam();
  at::manual_seed(TestSeed(6));
  const Leaf x = MakeLeaf({rows, width}, /*mean=*/2);
  const Leaf branch = MakeBranch({rows, width}, branch_dtype);
  const Leaf weight = MakeLeaf({width}, 1);
  const Leaf bias = MakeLeaf({width});
  const at::Tensor grad_sum = at::randn({rows, width});
  const at::Tensor grad = at::randn({rows, width}).to(dtype);
  const NormedSum result = AddNorm(x.gpu, branch.gpu, kDropout, weight.gpu, bias.gpu, dtype);
  ASSERT_EQ(result.sum.scalar_type(), at::kFloat);
  ASSERT_EQ(result.normed.scalar_type(), dtype);
  torch::autograd::backward({result.sum, result.normed}, {grad_sum.to(Gpu()), grad.to(Gpu())});

  const at::Tensor factors = FactorsOf(result.sum - x.gpu);
  ExpectKeepRate(factors);
  const at::Tensor sum = x.wide + branch.wide * factors;
  const at::Tensor normed = WideNorm(sum, weight.wide, bias.wide);
  torch::autograd::backward({sum, normed}, {grad_sum.to(at::kDouble), grad.to(at::kDouble)});
  EXPECT_LE(RelativeError(result.sum, sum), 1e-6);
  EXPECT_LE(RelativeError(result.normed, normed), Tolerance(dtype));
  EXPECT_LE(RelativeError(x.gpu.grad(), x.wide.grad()), 2e-6);
  ASSERT_EQ(branch.gpu.grad().scalar_type(), branch_dtype);
  EXPECT_LE(RelativeError(branch.gpu.grad(), branch.wide.grad()), Tolerance(branch_dtype));
  EXPECT_LE(RelativeError(weight.gpu.grad(), weight.wide.grad()), 5e-6);
  EXPECT_LE(RelativeError(bias.gpu.grad(), bias.wide.grad()), 5e-6);
}

constexpr auto kRowNumbers = {at::kFloat, at::kBFloat16};
INSTANTIATE_TEST_SUITE_P(
    All, GpuAddNormTest,
    testing::Combine(testing::ValuesIn(kRowNumbers), testing::ValuesIn(kRowNumbers),
                     testing::Values(1, 999, 70001), testing::Values(64, 128, 256, 512)),
    [](const testing::TestParamInfo<AddNormParam>& info) {
      return absl::StrCat(toString(std::get<0>(info.param)), toString(std::get<1>(info.param)),
                          "Rows", std::get<2>(info.param), "Width", std::get<3>(info.param));
    });

TEST(GpuAddNormFormTest, TakesEitherGradientAlone) {
  at::manual_seed(TestSeed(7));
  const auto gradient = [&](bool of_sum) {
    at::manual_seed(TestSeed(8));
    const Leaf x = MakeLeaf({50, 64});
    const Leaf weight = MakeLeaf({64}, 1);
    const NormedSum result = AddNorm(x.gpu, x.gpu.detach(), 0, weight.gpu, weight.gpu, at::kFloat);
    (of_sum ? result.sum : result.normed).sum().backward();
    const at::Tensor sum = x.wide + x.wide.detach();
    (of_sum ? sum : WideNorm(sum, weight.wide, weight.wide)).sum().backward();
    EXPECT_LE((x.gpu.grad().cpu() - x.wide.grad()).abs().max().item<double>(), 1e-5);
  };
  gradient(true);
  gradient(false);
}

TEST(GpuAddNormFormTest, TakesTheGradientOfASumOverPositions) {
  at::manual_seed(TestSeed(22));
  const Leaf x = MakeLeaf({5, 33, 64});
  const Leaf weight = MakeLeaf({64}, 1);
  const at::Tensor grad = at::randn({5, 64});
  NormRows(x.gpu, weight.gpu, weight.gpu, at::kFloat).sum(1).backward(grad.to(Gpu()));
  WideNorm(x.wide, weight.wide, weight.wide).sum(1).backward(grad.to(at::kDouble));
  EXPECT_LE(RelativeError(x.gpu.grad(), x.wide.grad()), 2e-6);
  EXPECT_LE(RelativeError(weight.gpu.grad(), weight.wide.grad()), 5e-6);
}

TEST(GpuAddNormFormTest, OtherWidthsAreLibTorchs) {
  at::manual_seed(TestSeed(9));
  const Leaf x = MakeLeaf({3, 20, 96});
  const Leaf branch = MakeBranch({3, 20, 96}, at::kFloat);
  const Leaf weight = MakeLeaf({96}, 1);
  const NormedSum result =
      AddNorm(x.gpu, branch.gpu, kDropout, weight.gpu, weight.gpu, at::kBFloat16);
  const at::Tensor sum = x.wide + branch.wide * FactorsOf(result.sum - x.gpu);
  EXPECT_LE(RelativeError(result.sum, sum), 1e-6);
  EXPECT_LE(RelativeError(result.normed, WideNorm(sum, weight.wide, weight.wide)), 0x1p-8);
}

struct EmbedCase {
  at::ScalarType id_dtype;
  int64_t vocabulary;
  int64_t batch;
  int64_t length;
  int64_t width;
};

void ExpectEmbedNorm(const EmbedCase& c, at::ScalarType dtype) {
  SCOPED_TRACE(absl::StrCat("vocabulary ", c.vocabulary, ", ", c.batch, " x ", c.length, " x ",
                            c.width, ", ", toString(dtype)));
  const at::Tensor ids = at::randint(c.vocabulary, {c.batch, c.length}).to(c.id_dtype);
  // All positive: what is 0 has been dropped.
  const Leaf tokens = MakeBranch({c.vocabulary, c.width}, at::kFloat);
  const Leaf positions = MakeBranch({c.length, c.width}, at::kFloat);
  const Leaf weight = MakeLeaf({c.width}, 1);
  const Leaf bias = MakeLeaf({c.width});
  const at::Tensor grad_sum = at::randn({c.batch, c.length, c.width});
  const at::Tensor grad = at::randn({c.batch, c.length, c.width}).to(dtype);
  const NormedSum result =
      EmbedNorm(ids.to(Gpu()), tokens.gpu, positions.gpu, kDropout, weight.gpu, bias.gpu, dtype);
  torch::autograd::backward({result.sum, result.normed}, {grad_sum.to(Gpu()), grad.to(Gpu())});

  const at::Tensor factors = FactorsOf(result.sum);
  ExpectKeepRate(factors);
  const at::Tensor sum = (at::embedding(tokens.wide, ids) + positions.wide) * factors;
  const at::Tensor normed = WideNorm(sum, weight.wide, bias.wide);
  torch::autograd::backward({sum, normed}, {grad_sum.to(at::kDouble), grad.to(at::kDouble)});
  EXPECT_LE(RelativeError(result.sum, sum), 1e-6);
  EXPECT_LE(RelativeError(result.normed, normed), Tolerance(dtype));
  EXPECT_LE(RelativeError(tokens.gpu.grad(), tokens.wide.grad()), 5e-6);
  EXPECT_LE(RelativeError(positions.gpu.grad(), positions.wide.grad()), 5e-6);
  EXPECT_LE(RelativeError(weight.gpu.grad(), weight.wide.grad()), 5e-6);
  EXPECT_LE(RelativeError(bias.gpu.grad(), bias.wide.grad()), 5e-6);
}

TEST(GpuEmbedNormTest, IsTheFormulaWithItsGradients) {
  at::manual_seed(TestSeed(10));
  for (const at::ScalarType dtype : kRowNumbers) {
    ExpectEmbedNorm({at::kLong, 256, 16, 1024, 64}, dtype);
    ExpectEmbedNorm({at::kInt, 16, 3, 2001, 64}, dtype);
    ExpectEmbedNorm({at::kLong, 1024, 5, 700, 128}, dtype);
    ExpectEmbedNorm({at::kLong, 1, 2, 33, 512}, dtype);
  }
}

void ExpectEmbed(const EmbedCase& c) {
  SCOPED_TRACE(
      absl::StrCat("vocabulary ", c.vocabulary, ", ", c.batch, " x ", c.length, " x ", c.width));
  const at::Tensor ids = at::randint(c.vocabulary, {c.batch, c.length}).to(c.id_dtype);
  const Leaf tokens = MakeBranch({c.vocabulary, c.width}, at::kFloat);
  const Leaf positions = MakeBranch({c.length, c.width}, at::kFloat);
  const at::Tensor grad = at::randn({c.batch, c.length, c.width});
  const at::Tensor result = Embed(ids.to(Gpu()), tokens.gpu, positions.gpu, kDropout);
  result.backward(grad.to(Gpu()));

  const at::Tensor factors = FactorsOf(result);
  ExpectKeepRate(factors);
  const at::Tensor sum = (at::embedding(tokens.wide, ids) + positions.wide) * factors;
  sum.backward(grad.to(at::kDouble));
  EXPECT_LE(RelativeError(result, sum), 1e-6);
  EXPECT_LE(RelativeError(tokens.gpu.grad(), tokens.wide.grad()), 5e-6);
  EXPECT_LE(RelativeError(positions.gpu.grad(), positions.wide.grad()), 5e-6);
}

TEST(GpuEmbedTest, IsTheFormulaWithItsGradients) {
  at::manual_seed(TestSeed(13));
  ExpectEmbed({at::kLong, 256, 16, 1024, 64});
  ExpectEmbed({at::kInt, 16, 3, 2001, 64});
  ExpectEmbed({at::kLong, 1, 2, 33, 512});
  ExpectEmbed({at::kLong, 1025, 8, 500, 64});
  ExpectEmbed({at::kInt, 300, 8, 50, 96});
}

TEST(GpuEmbedNormTest, LargeVocabulariesAndOtherWidthsAreLibTorchs) {
  at::manual_seed(TestSeed(11));
  ExpectEmbedNorm({at::kLong, 1025, 8, 500, 64}, at::kBFloat16);
  ExpectEmbedNorm({at::kInt, 300, 8, 50, 96}, at::kFloat);
}

TEST(GpuEmbedNormTest, SameBitsEveryRun) {
  const at::Tensor ids = at::randint(256, {32, 1024}).to(Gpu());
  const Leaf tokens = MakeLeaf({256, 64});
  const Leaf positions = MakeLeaf({1024, 64});
  const Leaf weight = MakeLeaf({64}, 1);
  const auto gradient = [&] {
    at::manual_seed(TestSeed(12));
    tokens.gpu.mutable_grad().reset();
    EmbedNorm(ids, tokens.gpu, positions.gpu, kDropout, weight.gpu, weight.gpu, at::kBFloat16)
        .normed.sum()
        .backward();
    return tokens.gpu.grad();
  };
  const at::Tensor first = gradient();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(gradient().equal(first));
}

TEST(GpuGeluDropoutTest, IsTheFormulaWithItsGradient) {
  at::manual_seed(TestSeed(13));
  for (const at::ScalarType dtype : kRowNumbers) {
    for (const int64_t rows : {1, 1000, 70001}) {
      const at::Tensor values = at::randn({rows, 128}).to(dtype);
      const at::Tensor value = values.where(values.ne(0), at::ones({}, values.options()));
      const Leaf x = {value.to(Gpu()).requires_grad_(), value.to(at::kDouble).requires_grad_()};
      const at::Tensor grad = at::randn({rows, 128}).to(dtype);
      const at::Tensor out = GeluDropout(x.gpu, kDropout);
      ASSERT_EQ(out.scalar_type(), dtype);
      out.backward(grad.to(Gpu()));
      const at::Tensor factors = FactorsOf(out);
      ExpectKeepRate(factors);
      const at::Tensor expected = at::gelu(x.wide) * factors;
      expected.backward(grad.to(at::kDouble));
      EXPECT_LE(RelativeError(out, expected), Tolerance(dtype));
      EXPECT_LE(RelativeError(x.gpu.grad(), x.wide.grad()), Tolerance(dtype));
    }
  }
}

TEST(GpuGeluDropoutTest, OddCountsAndHalvesAreLibTorchs) {
  at::manual_seed(TestSeed(14));
  for (const at::ScalarType dtype : {at::kFloat, at::kHalf}) {
    const at::Tensor x = at::randn({7, 9}).to(dtype);
    const at::Tensor out = GeluDropout(x.to(Gpu()), 0);
    EXPECT_LE(RelativeError(out, at::gelu(x.to(at::kDouble))), 0x1p-10);
  }
  EXPECT_EQ(GeluDropout(at::empty({0, 8}).to(Gpu()), kDropout).numel(), 0);
}

void ExpectRefused(const std::function<void()>& call, const std::string& part) {
  try {
    call();
    FAIL() << "not refused: " << part;
  } catch (const c10::Error& error) {
    EXPECT_NE(std::string(error.msg()).find(part), std::string::npos) << error.msg();
  }
}

TEST(GpuTokenRowsBadInputTest, NamesTheOperand) {
  const at::Tensor x = at::randn({4, 64}).to(Gpu());
  const at::Tensor weight = at::randn({64}).to(Gpu());
  ExpectRefused([&] { NormRows(x, weight, weight.slice(0, 32), at::kFloat); }, "bias must be");
  ExpectRefused([&] { NormRows(x, weight, weight.cpu(), at::kFloat); }, "bias must be");
  ExpectRefused([&] { NormRows(x.slice(1, 32), weight, weight, at::kFloat); }, "weight must be");
  ExpectRefused([&] { AddNorm(x, x.slice(0, 2), 0.1, weight, weight, at::kFloat); },
                "branch must be");
  ExpectRefused([&] { AddNorm(x, x.cpu(), 0.1, weight, weight, at::kFloat); }, "branch must be");
  ExpectRefused([&] { AddNorm(x, x, 1, weight, weight, at::kFloat); }, "below 1; got 1");
  const at::Tensor ids = at::zeros({2, 4}, at::kLong).to(Gpu());
  ExpectRefused([&] { EmbedNorm(ids, x, x.slice(0, 3), 0.1, weight, weight, at::kFloat); },
                "positions must be");
  ExpectRefused([&] { EmbedNorm(ids.cpu(), x, x, 0.1, weight, weight, at::kFloat); },
                "ids must be Long or Int on");
  ExpectRefused([&] { EmbedNorm(ids.to(at::kFloat), x, x, 0.1, weight, weight, at::kFloat); },
                "ids must be Long or Int on");
}

}  // namespace
}  // namespace spion
