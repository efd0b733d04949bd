#include "spion/train/optimizer.h"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace spion {
namespace {

// Adam with gradients clipped by value, element by element in double.
TEST(OptimizerTest, IsAdamWithClippedGradients) {
  const HyperParameters h;
  Parameters parameters(at::kCPU);
  at::Tensor weight = parameters.root().Add("w", at::tensor({0.5F, -1.0F, 2.0F}));
  Optimizer optimizer(parameters, h);

  std::vector<double> value = {0.5, -1.0, 2.0};
  std::vector<double> first(3), second(3);
  constexpr double kRate = 1e-2;
  for (int step = 1; step <= 20; ++step) {
    const std::vector<float> gradient = {0.3F * static_cast<float>(step), -5.0F, 0.01F};
    weight.mutable_grad() = at::tensor(gradient);
    optimizer.SetLearningRate(kRate);
    optimizer.Step();
    EXPECT_FALSE(weight.grad().defined());
    for (size_t i = 0; i < value.size(); ++i) {
      const double g = std::clamp<double>(gradient[i], -1, 1);
      first[i] = h.beta1 * first[i] + (1 - h.beta1) * g;
      second[i] = h.beta2 * second[i] + (1 - h.beta2) * g * g;
      const double mean = first[i] / (1 - std::pow(h.beta1, step));
      const double square = second[i] / (1 - std::pow(h.beta2, step));
      value[i] -= kRate * mean / (std::sqrt(square) + h.epsilon);
    }
  }
  for (size_t i = 0; i < value.size(); ++i) {
    EXPECT_NEAR(weight[static_cast<int64_t>(i)].item<float>(), value[i], 1e-5);
  }
}

}  // namespace
}  // namespace spion
