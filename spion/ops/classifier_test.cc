#include "spion/ops/classifier.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "spion/testing/seed.h"

namespace spion {
namespace {

TEST(ClassifyTest, IsTwoLinearMapsWithThePositivePartBetween) {
  at::manual_seed(TestSeed(1));
  const at::Tensor x = at::randn({3, 5});
  const WeightAndBias hidden = {at::randn({4, 5}), at::randn({4})};
  const WeightAndBias classes = {at::randn({2, 4}), at::randn({2})};
  const at::Tensor logits = Classify(x, hidden, classes);
  for (int64_t e = 0; e < 3; ++e) {
    for (int64_t c = 0; c < 2; ++c) {
      double expected = classes.bias[c].item<double>();
      for (int64_t j = 0; j < 4; ++j) {
        double sum = hidden.bias[j].item<double>();
        for (int64_t i = 0; i < 5; ++i) {
          sum += x[e][i].item<double>() * hidden.weight[j][i].item<double>();
        }
        expected += std::max(sum, 0.0) * classes.weight[c][j].item<double>();
      }
      EXPECT_NEAR(logits[e][c].item<double>(), expected, 1e-5);
    }
  }
}

TEST(JudgeLogitsTest, CountsWhatIsRightAndDifferentiates) {
  const at::Tensor logits = at::tensor({0.0F, 0.0F, 2.0F, 1.0F}).view({2, 2}).requires_grad_();
  const Judgement judgement = JudgeLogits(logits, at::tensor({1, 0}, at::kLong));
  EXPECT_EQ(judgement.right.item<float>(), 1);
  const double second = std::log(1 + std::exp(-1));
  EXPECT_NEAR(judgement.loss.item<double>(), (std::log(2) + second) / 2, 1e-6);
  judgement.loss.backward();
  const double wrong = 1 / (1 + std::exp(1)) / 2;
  const double expected[2][2] = {{0.25, -0.25}, {-wrong, wrong}};
  for (int64_t e = 0; e < 2; ++e) {
    for (int64_t c = 0; c < 2; ++c) {
      EXPECT_NEAR(logits.grad()[e][c].item<double>(), expected[e][c], 1e-6);
    }
  }
}

}  // namespace
}  // namespace spion
