#include "baselines/testing/attention_check.h"

#include <ATen/TensorOperators.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "spion/base/random.h"
#include "spion/testing/seed.h"

namespace spion {
namespace {

constexpr int kDirections = 3;
constexpr double kStep = 1e-5;

at::Tensor NormalTensor(at::IntArrayRef sizes, Random& random) {
  int64_t count = 1;
  for (const int64_t size : sizes) count *= size;
  return at::tensor(NormalVector(count, 1.0, random), at::kDouble).view(sizes);
}

double Value(const HeadFunction& function, const Heads& heads, const at::Tensor& weights) {
  return (function(heads.q, heads.k, heads.v) * weights).sum().item<double>();
}

// The input whose derivative is looked at is changed in place and put back.
double CentralDifference(const HeadFunction& function, const Heads& heads,
                         const at::Tensor& weights, at::Tensor& input,
                         const at::Tensor& direction) {
  const c10::AutoGradMode no_grad(false);
  const at::Tensor before = input.clone();
  input.copy_(before + direction * kStep);
  const double above = Value(function, heads, weights);
  input.copy_(before - direction * kStep);
  const double below = Value(function, heads, weights);
  input.copy_(before);
  return (above - below) / (2 * kStep);
}

}  // namespace

Heads RandomHeads(int64_t batch, int64_t heads, int64_t length, int64_t head_dim, uint64_t seed) {
  Random random(TestSeed(seed));
  const at::Tensor fused = NormalTensor({batch, length, 3, heads, head_dim}, random);
  const std::vector<at::Tensor> qkv = fused.permute({2, 0, 3, 1, 4}).unbind(0);
  return {.q = qkv[0], .k = qkv[1], .v = qkv[2]};
}

at::Tensor MakeLengths(const std::vector<int32_t>& lengths) {
  return at::tensor(lengths, at::kInt);
}

double MaxDifference(const at::Tensor& a, const at::Tensor& b) {
  return a.to(at::kDouble).sub(b.to(at::kDouble)).abs().max().item<double>();
}

double GradientError(const HeadFunction& function, const Heads& heads,
                     const std::vector<at::Tensor>& parameters) {
  Random random(TestSeed(9));
  Heads leaves{.q = heads.q.clone().requires_grad_(),
               .k = heads.k.clone().requires_grad_(),
               .v = heads.v.clone().requires_grad_()};
  const at::Tensor out = function(leaves.q, leaves.k, leaves.v);
  const at::Tensor weights = NormalTensor(out.sizes(), random);
  (out * weights).sum().backward();

  std::vector<at::Tensor> inputs = {leaves.q, leaves.k, leaves.v};
  inputs.insert(inputs.end(), parameters.begin(), parameters.end());
  double worst = 0;
  for (at::Tensor& input : inputs) {
    for (int i = 0; i < kDirections; ++i) {
      const at::Tensor direction = NormalTensor(input.sizes(), random);
      const double expected = CentralDifference(function, leaves, weights, input, direction);
      // An input that the function does not read has no gradient.
      const double given =
          input.grad().defined() ? (input.grad() * direction).sum().item<double>() : 0.0;
      const double error = std::abs(given - expected) / std::max(1.0, std::abs(expected));
      if (std::isnan(error)) return error;
      worst = std::max(worst, error);
    }
  }
  return worst;
}

at::Tensor UnderAutocast(const HeadFunction& function, const Heads& heads) {
  at::autocast::set_autocast_enabled(at::kCPU, true);
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  const at::Tensor out =
      function(heads.q.to(at::kBFloat16), heads.k.to(at::kBFloat16), heads.v.to(at::kBFloat16));
  at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(at::kCPU, false);
  return out.to(at::kFloat);
}

}  // namespace spion
