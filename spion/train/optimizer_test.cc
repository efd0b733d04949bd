#include "spion/train/optimizer.h"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace spion {
namespace {

// AdamW with gradients clipped by value, element by element in double.
void ExpectAdamW(const HyperParameters& h) {
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
      const double g = std::clamp<double>(gradient[i], -h.gradient_limit, h.gradient_limit);
      first[i] = h.beta1 * first[i] + (1 - h.beta1) * g;
      second[i] = h.beta2 * second[i] + (1 - h.beta2) * g * g;
      const double mean = first[i] / (1 - std::pow(h.beta1, step));
      const double square = second[i] / (1 - std::pow(h.beta2, step));
      value[i] -= kRate * h.weight_decay * value[i];
      value[i] -= kRate * mean / (std::sqrt(square) + h.epsilon);
    }
  }
  for (size_t i = 0; i < value.size(); ++i) {
    EXPECT_NEAR(weight[static_cast<int64_t>(i)].item<float>(), value[i], 1e-5);
  }
}

TEST(OptimizerTest, IsAdamWWithClippedGradients) { ExpectAdamW(HyperParameters()); }

// As no task has them: what a default hides would show.
TEST(OptimizerTest, TakesAllOfItsSettings) {
  HyperParameters h;
  h.beta1 = 0.7;
  h.beta2 = 0.95;
  h.epsilon = 0.1;
  h.weight_decay = 0.2;
  h.gradient_limit = 0.5;
  ExpectAdamW(h);
}

}  // namespace
}  // namespace spion
