// The operators of encoder_layer.h on a GPU against the same in double on the CPU, by the rule of
// error_rule.h: a result may be off by twice what LibTorch's own functions are under autocast, a
// gradient by three times that.
#include "spion/ops/encoder_layer.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/cuda/CUDAGraph.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <c10/core/StreamGuard.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "spion/ops/gpu/autocast.h"
#include "spion/ops/gpu/gpu.h"
#include "spion/ops/token_rows.h"
#include "spion/testing/seed.h"

namespace spion {
namespace {

using at::Tensor;
using Tensors = std::vector<Tensor>;

constexpr int64_t kWidth = 64;
constexpr int64_t kHidden = 128;

// The operands in the order of these functions' calls.
using Function = std::function<Tensor(const Tensors&)>;

Tensor Norm(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  return at::layer_norm(x, {kWidth}, weight, bias, 1e-5);
}
Tensor PlainPreAttention(const Tensors& t) {
  return at::linear(Norm(t[0], t[1], t[2]), t[3], t[4]);
}
Tensor PlainPostAttention(const Tensors& t) {
  const Tensor sum = t[0] + at::linear(t[1], t[2], t[3]);
  return sum + at::linear(at::gelu(at::linear(Norm(sum, t[4], t[5]), t[6], t[7])), t[8], t[9]);
}
Tensor OurPreAttention(const Tensors& t) {
  return PreAttention(t[0], {t[1], t[2]}, {t[3], t[4]}).qkv;
}
Tensor OurPostAttention(const Tensors& t, double dropout = 0) {
  return PostAttention(t[0], t[1], {{t[2], t[3]}, {t[4], t[5]}, {t[6], t[7]}, {t[8], t[9]}},
                       dropout);
}

Tensor Weight(int64_t out, int64_t in) { return at::randn({out, in}).div_(std::sqrt(in)); }

Tensors PreOperands(int64_t rows) {
  return {at::randn({rows, kWidth}).add_(0.5), at::randn({kWidth}).add_(1), at::randn({kWidth}),
          Weight(3 * kWidth, kWidth), at::randn({3 * kWidth})};
}
Tensors PostOperands(int64_t rows) {
  return {at::randn({rows, kWidth}),   at::randn({rows, kWidth}).to(at::kBFloat16),
          Weight(kWidth, kWidth),      at::randn({kWidth}),
          at::randn({kWidth}).add_(1), at::randn({kWidth}),
          Weight(kHidden, kWidth),     at::randn({kHidden}),
          Weight(kWidth, kHidden),     at::randn({kWidth})};
}

Tensors OnGpu(const Tensors& operands) {
  Tensors all;
  for (const Tensor& operand : operands) all.push_back(operand.to(Gpu()).requires_grad_());
  return all;
}

// The result, then the gradients of all operands, in double on the CPU.
Tensors RunBothWays(const Function& function, Tensors leaves, const Tensor& grad) {
  const Tensor out = function(leaves);
  out.backward(grad.to(out.options()));
  Tensors results = {out};
  for (const Tensor& leaf : leaves) results.push_back(leaf.grad());
  for (Tensor& result : results) result = result.detach().cpu().to(at::kDouble);
  return results;
}

void ExpectByTheRule(const Function& ours, const Function& plain, const Tensors& operands,
                     int64_t width) {
  const AutocastToBfloat16 autocast;
  const Tensor grad = at::randn({operands[0].size(0), width});
  Tensors wide;
  for (const Tensor& operand : operands) wide.push_back(operand.to(at::kDouble).requires_grad_());
  const Tensors truth = RunBothWays(plain, wide, grad);
  const Tensors framework = RunBothWays(plain, OnGpu(operands), grad);
  const Tensors results = RunBothWays(ours, OnGpu(operands), grad);
  for (size_t i = 0; i < truth.size(); ++i) {
    const auto error = [&](const Tensor& result) {
      return ((result - truth[i]).norm() / truth[i].norm()).item<double>();
    };
    EXPECT_LE(error(results[i]), (i == 0 ? 2 : 3) * error(framework[i]) + 1e-6) << "result " << i;
  }
}

class GpuEncoderLayerTest : public testing::TestWithParam<int64_t> {};
INSTANTIATE_TEST_SUITE_P(Rows, GpuEncoderLayerTest, testing::Values(1, 100, 1000, 70000));

TEST_P(GpuEncoderLayerTest, PreAttentionIsAsExactAsTheFramework) {
  at::manual_seed(TestSeed(1));
  ExpectByTheRule(OurPreAttention, PlainPreAttention, PreOperands(GetParam()), 3 * kWidth);
}

TEST_P(GpuEncoderLayerTest, PostAttentionIsAsExactAsTheFramework) {
  at::manual_seed(TestSeed(2));
  ExpectByTheRule([](const Tensors& t) { return OurPostAttention(t); }, PlainPostAttention,
                  PostOperands(GetParam()), kWidth);
}

TEST(GpuEncoderLayerFormTest, GradientsBesideAreTakenAlong) {
  const AutocastToBfloat16 autocast;
  at::manual_seed(TestSeed(3));
  const Tensors t = OnGpu(PreOperands(300));
  const Tensor grad_qkv = at::randn({300, 3 * kWidth}).to(Gpu(), at::kBFloat16);
  const Tensor grad_x = at::randn({300, kWidth}).to(Gpu());
  const auto gradient = [&](bool of_qkv, bool of_x) {
    t[0].mutable_grad().reset();
    const PreAttentionResult result = PreAttention(t[0], {t[1], t[2]}, {t[3], t[4]});
    Tensor loss;
    if (of_qkv) loss = (result.qkv * grad_qkv).sum(at::kFloat);
    if (of_x) {
      const Tensor part = (result.x * grad_x).sum();
      loss = loss.defined() ? loss + part : part;
    }
    loss.backward();
    return t[0].grad().clone();
  };
  const Tensor sum = gradient(true, false) + gradient(false, true);
  EXPECT_LE((gradient(true, true) - sum).norm().item<double>(), 1e-6 * sum.norm().item<double>());
}

// All gradients after a forward and a backward pass with dropout, the generator being seeded.
Tensors GradientsWithDropout(const Tensors& leaves, const Tensor& grad) {
  at::manual_seed(5);
  for (const Tensor& leaf : leaves) leaf.mutable_grad().reset();
  const Tensor out = OurPostAttention(leaves, /*dropout=*/0.1);
  out.backward(grad);
  Tensors results = {out.detach()};
  for (const Tensor& leaf : leaves) results.push_back(leaf.grad());
  return results;
}

TEST(GpuEncoderLayerFormTest, SameBitsEveryRun) {
  const AutocastToBfloat16 autocast;
  at::manual_seed(TestSeed(4));
  const Tensors leaves = OnGpu(PostOperands(5000));
  const Tensor grad = at::randn({5000, kWidth}).to(Gpu());
  const Tensors first = GradientsWithDropout(leaves, grad);
  for (int run = 0; run < 200; ++run) {
    const Tensors again = GradientsWithDropout(leaves, grad);
    for (size_t i = 0; i < first.size(); ++i) ASSERT_TRUE(again[i].equal(first[i])) << i;
  }
}

// Where the result's derivative is known whatever the mask: y is linear in the MLP's output bias.
TEST(GpuEncoderLayerFormTest, TheBackwardPassHasTheMaskOfTheForwardPass) {
  const AutocastToBfloat16 autocast;
  at::manual_seed(TestSeed(6));
  const Tensors leaves = OnGpu(PostOperands(2000));
  const Tensor grad = at::randn({2000, kWidth}).to(Gpu());
  const Tensors results = GradientsWithDropout(leaves, grad);
  Tensors moved = leaves;
  moved[9] = (leaves[9] + 1).detach();
  at::manual_seed(5);
  const Tensor difference = OurPostAttention(moved, 0.1).detach() - results[0];
  const Tensor share = (difference.abs() > 0.5).to(at::kFloat).mean();
  EXPECT_NEAR(share.item<double>(), 0.9, 0.005);
  const Tensor expected = (grad.to(at::kDouble) * difference.to(at::kDouble)).sum(0);
  constexpr double kRounding = 0x1p-8;  // of the gradient to bf16; another mask is off by 0.4
  EXPECT_LE((results[10].to(at::kDouble) - expected).norm().item<double>(),
            kRounding * expected.norm().item<double>());
}

// Each of three processes draws its part of the mask that one would draw; of an odd number of rows.
TEST(GpuEncoderLayerFormTest, ASliceOfABatchHasItsPartOfTheWholeMask) {
  constexpr int64_t kSlices = 3;
  constexpr int64_t kRows = 37;  // a slice
  const AutocastToBfloat16 autocast;
  at::manual_seed(TestSeed(9));
  const Tensors leaves = OnGpu(PostOperands(kSlices * kRows));
  const Tensor grad = at::randn({kSlices * kRows, kWidth}).to(Gpu());
  // The result, and the gradients of x and the heads, of some rows.
  const auto results = [&](int64_t slice, int64_t begin, int64_t count) {
    SetBatchSlice(slice);
    Tensors operands = leaves;
    for (int i : {0, 1}) {
      operands[i] = leaves[i].detach().narrow(0, begin, count).clone().requires_grad_();
    }
    Tensors all = GradientsWithDropout(operands, grad.narrow(0, begin, count));
    SetBatchSlice(0);
    all.resize(3);
    return all;
  };
  const Tensors whole = results(0, 0, kSlices * kRows);
  for (int64_t slice = 0; slice < kSlices; ++slice) {
    const Tensors part = results(slice, slice * kRows, kRows);
    for (size_t i = 0; i < part.size(); ++i) {
      EXPECT_TRUE(part[i].equal(whole[i].narrow(0, slice * kRows, kRows))) << slice << " " << i;
    }
  }
}

TEST(GpuEncoderLayerFormTest, AnotherMaskAtEachReplay) {
  const AutocastToBfloat16 autocast;
  at::manual_seed(TestSeed(7));
  const Tensors leaves = OnGpu(PostOperands(500));
  const c10::cuda::CUDAStream stream = c10::cuda::getStreamFromPool();
  const c10::StreamGuard guard(stream);
  const Tensor grad = at::randn({500, kWidth}).to(Gpu());
  const auto step = [&] {
    for (const Tensor& leaf : leaves) leaf.mutable_grad().reset();
    const Tensor out = OurPostAttention(leaves, /*dropout=*/0.1);
    out.backward(grad);
    return out.detach();
  };
  step();
  c10::cuda::device_synchronize();
  at::cuda::CUDAGraph graph;
  graph.capture_begin();
  const Tensor out = step();
  const Tensor grad_bias = leaves[9].grad();
  graph.capture_end();
  graph.replay();
  const Tensor first = out.clone();
  const Tensor first_grad = grad_bias.clone();
  graph.replay();
  c10::cuda::device_synchronize();
  EXPECT_FALSE(out.equal(first));
  EXPECT_FALSE(grad_bias.equal(first_grad));
}

TEST(GpuEncoderLayerSanitizerTest, ForwardAndBackward) {
  const AutocastToBfloat16 autocast;
  at::manual_seed(TestSeed(8));
  Tensors pre = OnGpu(PreOperands(150));
  OurPreAttention(pre).sum().backward();
  const Tensors post = OnGpu(PostOperands(150));
  const Tensors results = GradientsWithDropout(post, at::randn({150, kWidth}).to(Gpu()));
  for (const Tensor& result : results) EXPECT_TRUE(result.isfinite().all().item<bool>());
  EXPECT_TRUE(pre[0].grad().isfinite().all().item<bool>());
}

TEST(GpuEncoderLayerFormTest, TakesWhatItSays) {
  const Tensor x = at::randn({3, kWidth}).to(Gpu());
  EXPECT_FALSE(TakesEncoderLayer(x, kHidden));  // products in float32
  const AutocastToBfloat16 autocast;
  EXPECT_TRUE(TakesEncoderLayer(x, kHidden));
  EXPECT_FALSE(TakesEncoderLayer(x, 2 * kHidden));
  EXPECT_FALSE(TakesEncoderLayer(at::randn({3, 2 * kWidth}).to(Gpu()), kHidden));
  EXPECT_FALSE(TakesEncoderLayer(x.cpu(), kHidden));
  EXPECT_FALSE(TakesEncoderLayer(x.narrow(0, 0, 0), kHidden));
}

TEST(GpuEncoderLayerFormTest, NamesTheOperand) {
  const AutocastToBfloat16 autocast;
  // Operand i transposed.
  const auto run = [](size_t i) {
    return [i] {
      Tensors t = OnGpu(PostOperands(3));
      t[i] = t[i].t();
      OurPostAttention(t);
    };
  };
  const auto says = [](const char* text) {
    return testing::Throws<c10::Error>(
        testing::Property(&c10::Error::msg, testing::HasSubstr(text)));
  };
  EXPECT_THAT(run(6), says("weight must be Float [128, 64]"));
  EXPECT_THAT(run(2), says("weight must be contiguous"));
}

}  // namespace
}  // namespace spion
