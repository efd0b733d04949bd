// The operators of token_rows.h on a GPU against the same in double on the CPU.
#include "spion/ops/token_rows.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/cuda/CUDAGraph.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <c10/core/StreamGuard.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "spion/ops/gpu/autocast.h"
#include "spion/ops/gpu/gpu.h"
#include "spion/ops/gpu/leaf.h"
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

// ---- With dropout: the mask is what the result says it is ----

constexpr double kDropout = 0.1;

// Numbers of which none is near 0, so that what is dropped can be told.
Leaf MakeBranch(at::IntArrayRef sizes, at::ScalarType dtype) {
  const at::Tensor value = at::rand(sizes).add_(1).to(dtype);
  return {value.to(Gpu()).requires_grad_(), value.to(at::kDouble).requires_grad_()};
}

// 0 and 1 / (1 - p), from where the dropped numbers are not 0.
at::Tensor FactorsOf(const at::Tensor& dropped) {
  return dropped.detach().cpu().ne(0).to(at::kDouble).div_(1 - kDropout);
}

void ExpectKeepRate(const at::Tensor& factors) {
  const double kept = factors.ne(0).to(at::kDouble).mean().item<double>();
  const double deviation =
      std::sqrt(kDropout * (1 - kDropout) / static_cast<double>(factors.numel()));
  EXPECT_NEAR(kept, 1 - kDropout, 5 * deviation + 0x1p-16);
}

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

// ---- Slices of a batch ----

class GpuBatchSliceTest : public testing::Test {
 protected:
  ~GpuBatchSliceTest() override { SetBatchSlice(0); }
};

// Each of three processes draws its part of the mask that one would draw.
TEST_F(GpuBatchSliceTest, DrawsItsPartOfTheWholeMask) {
  constexpr int64_t kSlices = 3;
  constexpr int64_t kExamples = 2;  // a slice
  constexpr int64_t kLength = 17;
  const int64_t seed = TestSeed(40);
  at::manual_seed(seed);
  const at::Tensor ids = at::randint(11, {kSlices * kExamples, kLength}, at::kLong).to(Gpu());
  const at::Tensor tokens = at::rand({11, 64}).add_(1).to(Gpu());
  const at::Tensor positions = at::rand({kLength, 64}).add_(1).to(Gpu());
  const at::Tensor weight = at::ones({64}, Gpu());
  const at::Tensor x = at::rand({kSlices * kExamples, kLength, 64}).add_(1).to(Gpu());
  // Everything that drops, of some examples, with the gradients that go through the masks.
  const auto results = [&](int64_t slice, int64_t begin, int64_t count) {
    at::manual_seed(seed);
    SetBatchSlice(slice);
    const at::Tensor branch = x.narrow(0, begin, count).clone().requires_grad_();
    const NormedSum embedded = EmbedNorm(ids.narrow(0, begin, count), tokens, positions, kDropout,
                                         weight, weight, at::kFloat);
    const NormedSum sum = AddNorm(embedded.sum, branch, kDropout, weight, weight, at::kFloat);
    const at::Tensor hidden = GeluDropout(branch, kDropout);
    torch::autograd::backward({sum.sum, hidden}, {at::ones_like(sum.sum), at::ones_like(hidden)});
    return std::vector<at::Tensor>{embedded.sum, sum.sum, hidden, branch.grad()};
  };
  const std::vector<at::Tensor> whole = results(0, 0, kSlices * kExamples);
  for (int64_t slice = 0; slice < kSlices; ++slice) {
    const std::vector<at::Tensor> part = results(slice, slice * kExamples, kExamples);
    for (size_t i = 0; i < part.size(); ++i) {
      EXPECT_TRUE(part[i].equal(whole[i].narrow(0, slice * kExamples, kExamples)))
          << slice << " " << i;
    }
  }
}

TEST_F(GpuBatchSliceTest, OfAnOddNumberOfRowsIsRefused) {
  const at::Tensor x = at::ones({3, 64}, Gpu());
  SetBatchSlice(1);
  EXPECT_THROW(AddNorm(x, x, kDropout, x[0], x[0], at::kFloat), c10::Error);
}

// A step with every dropout.
struct Step {
  Leaf tokens = MakeLeaf({16, 64});
  Leaf positions = MakeLeaf({50, 64});
  Leaf branch = MakeBranch({4, 50, 64}, at::kBFloat16);
  Leaf weight = MakeLeaf({64}, 1);
  at::Tensor ids = at::randint(16, {4, 50}).to(Gpu());
  NormedSum embedded;
  NormedSum added;
  at::Tensor hidden;

  void Run() {
    for (const Leaf* leaf : {&tokens, &positions, &branch, &weight}) {
      leaf->gpu.mutable_grad().reset();
    }
    embedded =
        EmbedNorm(ids, tokens.gpu, positions.gpu, kDropout, weight.gpu, weight.gpu, at::kBFloat16);
    added = AddNorm(embedded.sum, branch.gpu, kDropout, weight.gpu, weight.gpu, at::kBFloat16);
    hidden = GeluDropout(added.normed, kDropout);
    (hidden.to(at::kFloat).sum() + added.sum.sum()).backward();
  }
  std::vector<at::Tensor> Results() const {
    std::vector<at::Tensor> results;
    for (const at::Tensor& tensor : {embedded.sum, added.sum, hidden, tokens.gpu.grad(),
                                     positions.gpu.grad(), branch.gpu.grad(), weight.gpu.grad()}) {
      results.push_back(tensor.detach().clone());
    }
    return results;
  }
  at::Tensor Kept() const { return (added.sum - embedded.sum).detach().ne(0); }
};

bool SameBits(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (!a[i].equal(b[i])) return false;
  }
  return true;
}

TEST(GpuDropoutTest, ASeedGivesTheSameBits) {
  at::manual_seed(TestSeed(15));
  Step step;
  at::manual_seed(TestSeed(16));
  step.Run();
  const auto first = step.Results();
  step.Run();
  EXPECT_FALSE(SameBits(step.Results(), first));
  at::manual_seed(TestSeed(16));
  step.Run();
  EXPECT_TRUE(SameBits(step.Results(), first));
}

TEST(GpuDropoutTest, ARecordedGraphDrawsAnotherMaskAtEachReplay) {
  const c10::StreamGuard guard(c10::cuda::getStreamFromPool(false, Gpu().index()));
  at::manual_seed(TestSeed(17));
  Step step;
  step.Run();  // what is made once a process is made outside the graph
  c10::cuda::device_synchronize();
  at::cuda::CUDAGraph graph;
  graph.capture_begin();
  step.Run();
  graph.capture_end();

  at::manual_seed(TestSeed(18));
  graph.replay();
  const auto first = step.Results();
  const at::Tensor first_mask = step.Kept().clone();
  graph.replay();
  EXPECT_FALSE(step.Kept().equal(first_mask));
  ExpectKeepRate(FactorsOf(step.added.sum - step.embedded.sum));
  // The backward pass had the mask of its own replay.
  EXPECT_TRUE(step.branch.gpu.grad().ne(0).equal(step.Kept()));
  at::manual_seed(TestSeed(18));
  graph.replay();
  EXPECT_TRUE(SameBits(step.Results(), first));
  // And is that of a step that is not recorded.
  at::manual_seed(TestSeed(18));
  step.Run();
  EXPECT_TRUE(SameBits(step.Results(), first));
  c10::cuda::device_synchronize();
}

TEST(GpuTokenRowsSanitizerTest, SmallStep) {
  at::manual_seed(TestSeed(19));
  Step step;
  step.Run();
  EXPECT_TRUE(step.branch.gpu.grad().ne(0).equal(step.Kept()));
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
