#include "spion/ops/once_differentiable.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <vector>

#include "spion/testing/seed.h"

namespace spion {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;
using torch::autograd::AutogradContext;
using torch::autograd::grad;
using torch::autograd::variable_list;

/// x^2 y: its gradients depend on x and y, through what is saved, and on the gradient that comes.
class Product : public OnceDifferentiable<Product> {
 public:
  static constexpr char kName[] = "Product";

  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& y) {
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    context->save_for_backward({x, y});
    return x * x * y;
  }
  static variable_list Gradients(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    return {2 * grads[0] * saved[0] * saved[1],
            context->needs_input_grad(1) ? grads[0] * saved[0] * saved[0] : at::Tensor()};
  }
};

const auto kRefused = ThrowsMessage<c10::Error>(
    AllOf(HasSubstr("Product is differentiable once"), HasSubstr("detach()")));

class OnceDifferentiableTest : public testing::Test {
 protected:
  static at::Tensor Numbers() { return at::randn({5}).requires_grad_(); }

  void SetUp() override { at::manual_seed(TestSeed(1)); }
};

TEST_F(OnceDifferentiableTest, AGradientIsPlain) {
  const at::Tensor x = Numbers();
  const at::Tensor y = Numbers();
  Product::apply(x, y).sum().backward();
  EXPECT_TRUE(x.grad().allclose(2 * x * y));
  EXPECT_TRUE(y.grad().allclose(x * x));
  EXPECT_FALSE(x.grad().requires_grad());
}

TEST_F(OnceDifferentiableTest, AGradientWithAGraphHasTheSameValue) {
  const at::Tensor x = Numbers();
  const at::Tensor y = Numbers();
  const variable_list gradients =
      grad({Product::apply(x, y).sum()}, {x, y}, {}, /*retain_graph=*/true, /*create_graph=*/true);
  EXPECT_TRUE(gradients[0].allclose(2 * x * y));
  EXPECT_TRUE(gradients[1].allclose(x * x));
}

TEST_F(OnceDifferentiableTest, ASecondGradientIsAnErrorWhateverItIsOf) {
  const at::Tensor x = Numbers();
  const at::Tensor y = Numbers();
  const at::Tensor incoming = Numbers();
  const auto gradients = [&] {
    return grad({Product::apply(x, y)}, {x, y}, {incoming}, /*retain_graph=*/true,
                /*create_graph=*/true);
  };
  for (const size_t of : {0, 1}) {
    EXPECT_THAT([&] { gradients()[of].sum().backward(); }, kRefused);
    for (const at::Tensor& leaf : {x, y, incoming}) {
      EXPECT_THAT([&] { grad({gradients()[of].sum()}, {leaf}); }, kRefused);
    }
  }
}

TEST_F(OnceDifferentiableTest, SoIsOneThroughAnOrdinarySum) {
  // The gradient that comes is of ones, which have no history: the graph is the operator's own.
  const at::Tensor x = Numbers();
  const at::Tensor y = at::randn({5});
  const at::Tensor first =
      grad({Product::apply(x, y).sum()}, {x}, {}, /*retain_graph=*/true, /*create_graph=*/true)[0];
  EXPECT_THAT([&] { first.square().sum().backward(); }, kRefused);
  EXPECT_NO_THROW(first.detach().square().sum());
}

TEST_F(OnceDifferentiableTest, OtherPathsOfTheGraphAreDifferentiableTwice) {
  const at::Tensor x = Numbers();
  const at::Tensor y = Numbers();
  const at::Tensor z = Numbers();
  const variable_list first = grad({Product::apply(x, y).sum() + z.pow(3).sum()}, {x, z}, {},
                                   /*retain_graph=*/true, /*create_graph=*/true);
  EXPECT_TRUE(grad({first[1].sum()}, {z})[0].allclose(6 * z));
}

}  // namespace
}  // namespace spion
