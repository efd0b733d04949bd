// AdamW on a GPU, held against its formula in double.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "spion/nn/parameters.h"
#include "spion/train/hyper_parameters.h"
#include "spion/train/optimizer.h"

namespace spion {
namespace {

const c10::Device kGpu(at::kCUDA, 0);

// More tensors than a launch takes, some with a gradient that is no row-major matrix.
TEST(OptimizerGpuTest, IsAdamWWithClippedGradients) {
  HyperParameters h;
  h.weight_decay = 0.1;
  constexpr int kTensors = 150;
  constexpr double kRate = 1e-2;
  at::manual_seed(5);
  Parameters parameters(kGpu);
  std::vector<at::Tensor> weights, expected, first, second;
  for (int i = 0; i < kTensors; ++i) {
    weights.push_back(parameters.root().Add("w" + std::to_string(i), at::randn({i + 1, 37})));
    expected.push_back(weights.back().detach().cpu().to(at::kDouble));
    first.push_back(at::zeros_like(expected.back()));
    second.push_back(at::zeros_like(expected.back()));
  }
  Optimizer optimizer(parameters, h);
  for (int step = 1; step <= 5; ++step) {
    for (int i = 0; i < kTensors; ++i) {
      at::Tensor gradient = at::randn({i + 1, 37}, at::TensorOptions(kGpu));
      if (i % 2 == 0) gradient = at::randn({37, i + 1}, at::TensorOptions(kGpu)).t();
      weights[i].mutable_grad() = gradient;
      const at::Tensor g =
          gradient.cpu().to(at::kDouble).clamp(-h.gradient_limit, h.gradient_limit);
      first[i] = first[i] * h.beta1 + g * (1 - h.beta1);
      second[i] = second[i] * h.beta2 + g * g * (1 - h.beta2);
      const at::Tensor mean = first[i] / (1 - std::pow(h.beta1, step));
      const at::Tensor square = second[i] / (1 - std::pow(h.beta2, step));
      expected[i] =
          expected[i] * (1 - kRate * h.weight_decay) - mean / (square.sqrt() + h.epsilon) * kRate;
    }
    optimizer.SetLearningRate(kRate);
    optimizer.Step();
  }
  for (int i = 0; i < kTensors; ++i) {
    const at::Tensor error = (weights[i].detach().cpu().to(at::kDouble) - expected[i]).abs();
    EXPECT_LT(error.max().item<double>(), 1e-5) << i;
  }
}

}  // namespace
}  // namespace spion
