// Every method's attention on a GPU: the CPU's values in float32, and mixed precision close to
// them, forward and backward, with padding.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "baselines/registry.h"
#include "spion/nn/attention.h"
#include "spion/nn/parameters.h"

namespace spion {
namespace {

constexpr int64_t kBatch = 2, kHeads = 2, kLength = 1024, kHeadDim = 32;
constexpr int kValid = 700;  // of the first example

struct Results {
  at::Tensor out;   // [B, H, L, d], valid queries alone: the others are zero
  at::Tensor grad;  // of the fused projection
};

Results Compute(const std::string& name, c10::Device device, at::ScalarType type) {
  at::manual_seed(61);
  const at::Tensor input = at::randn({kBatch, kLength, 3, kHeads, kHeadDim});
  const at::Tensor weights = at::randn({kBatch, kHeads, kLength, kHeadDim});
  Parameters parameters(device);
  const std::unique_ptr<Attention> attention =
      FindMethod(name)->make_attention({.layer = 0,
                                        .length = kLength,
                                        .heads = kHeads,
                                        .head_dim = kHeadDim,
                                        .device = device,
                                        .parameters = parameters.root()});
  const at::Tensor lengths = at::tensor({kValid, static_cast<int>(kLength)}, at::kInt).to(device);
  weights.select(0, 0).slice(1, kValid).zero_();

  const at::Tensor fused = input.to(device, type, false, true).requires_grad_();
  at::autocast::set_autocast_enabled(device.type(), type == at::kBFloat16);
  at::autocast::set_autocast_dtype(device.type(), at::kBFloat16);
  at::manual_seed(62);
  const std::vector<at::Tensor> qkv = fused.permute({2, 0, 3, 1, 4}).unbind(0);
  const at::Tensor out = attention->Forward(qkv[0], qkv[1], qkv[2], lengths);
  at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device.type(), false);
  EXPECT_EQ(out.scalar_type(), type);
  const at::Tensor weighted = out.to(at::kFloat) * weights.to(device);
  weighted.sum().backward();
  return {.out = weighted.detach().cpu(), .grad = fused.grad().to(at::kFloat).cpu()};
}

double RelativeError(const at::Tensor& a, const at::Tensor& b) {
  return a.sub(b).norm().item<double>() / b.norm().item<double>();
}

// The generators of CPU and GPU draw other numbers.
bool Draws(const std::string& name) { return name == "reformer" || name == "skyformer"; }

class MethodsGpuTest : public ::testing::TestWithParam<std::string> {};

TEST_P(MethodsGpuTest, GivesTheCpusValues) {
  if (Draws(GetParam())) GTEST_SKIP() << "its draws differ from the CPU's";
  const Results expected = Compute(GetParam(), at::kCPU, at::kFloat);
  const Results given = Compute(GetParam(), at::kCUDA, at::kFloat);
  // Sums in another order; the iterative inverse makes more of their rounding. tf32, of 11 bits,
  // which nobody asked for, would be off by more than 1e-4.
  const double tolerance = GetParam() == "nystromformer" ? 5e-3 : 5e-5;
  EXPECT_LE(RelativeError(given.out, expected.out), tolerance);
  EXPECT_LE(RelativeError(given.grad, expected.grad), tolerance);
}

TEST_P(MethodsGpuTest, MixedPrecisionIsCloseToFloat32) {
  const Results expected = Compute(GetParam(), at::kCUDA, at::kFloat);
  const Results given = Compute(GetParam(), at::kCUDA, at::kBFloat16);
  EXPECT_TRUE(given.out.isfinite().all().item<bool>());
  EXPECT_TRUE(given.grad.isfinite().all().item<bool>());
  // Rounded vectors hash into other buckets: other keys are seen.
  if (GetParam() == "reformer") return;
  // bf16 has 8 bits.
  EXPECT_LE(RelativeError(given.out, expected.out), 0.03);
  EXPECT_LE(RelativeError(given.grad, expected.grad), 0.06);
}

INSTANTIATE_TEST_SUITE_P(Methods, MethodsGpuTest, ::testing::ValuesIn(MethodNames()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace spion
