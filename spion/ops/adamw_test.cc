// StepAdamW on the CPU: what it takes and what it refuses. Its numbers are //spion/train's
// optimizer_test's and, on a GPU, optimizer_gpu_test's.
#include "spion/ops/adamw.h"

#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace spion {
namespace {

constexpr AdamWSettings kSettings = {
    .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0, .gradient_limit = 1};

struct Case {
  std::vector<at::Tensor> parameters = {at::ones({2, 3}), at::ones({4})};
  std::vector<at::Tensor> gradients = {at::ones({2, 3}), at::ones({4})};
  std::vector<at::Tensor> first = {at::zeros({2, 3}), at::zeros({4})};
  std::vector<at::Tensor> second = {at::zeros({2, 3}), at::zeros({4})};
  at::Tensor steps_taken = at::zeros({});
  at::Tensor learning_rate = at::full({}, 0.25);

  void Step() {
    StepAdamW(kSettings, gradients, {parameters, first, second, steps_taken, learning_rate});
  }
  std::string Error() {
    try {
      Step();
    } catch (const c10::Error& error) {
      return error.what_without_backtrace();
    }
    return "";
  }
};

TEST(StepAdamWTest, TheFirstStepMovesByTheLearningRate) {
  Case c;
  c.Step();
  EXPECT_EQ(c.steps_taken.item<float>(), 1);
  EXPECT_NEAR(c.parameters[0][1][2].item<float>(), 0.75, 1e-6);
  EXPECT_NEAR(c.parameters[1][3].item<float>(), 0.75, 1e-6);
}

TEST(StepAdamWTest, ScalesGradientsBeforeItClipsThem) {
  AdamWSettings settings = kSettings;
  settings.gradient_scale = 0.25;
  Case c;
  c.gradients = {at::full({2, 3}, 2.0), at::full({4}, -8.0)};
  StepAdamW(settings, c.gradients,
            {c.parameters, c.first, c.second, c.steps_taken, c.learning_rate});
  EXPECT_NEAR(c.first[0][1][2].item<float>(), 0.05, 1e-6);
  EXPECT_NEAR(c.first[1][3].item<float>(), -0.1, 1e-6);
}

TEST(StepAdamWTest, RefusesOperandsByName) {
  Case shorter;
  shorter.gradients.pop_back();
  EXPECT_EQ(shorter.Error(),
            "AdamW takes a gradient and two moments a parameter; got 1, 2 and 2 for 2");
  Case missing;
  missing.gradients[1] = at::Tensor();
  EXPECT_EQ(missing.Error(), "AdamW: parameter 1 has no gradient");
  Case size;
  size.first[1] = at::zeros({5});
  EXPECT_EQ(size.Error(),
            "AdamW: the first moment of parameter 1 must be contiguous, float32 [4] on cpu; got "
            "Float [5] on cpu");
  Case type;
  type.gradients[0] = at::ones({2, 3}, at::kDouble);
  EXPECT_EQ(
      type.Error(),
      "AdamW: the gradient of parameter 0 must be float32 [2, 3] on cpu; got Double [2, 3] on "
      "cpu");
  EXPECT_EQ(type.steps_taken.item<float>(), 0);
}

}  // namespace
}  // namespace spion
