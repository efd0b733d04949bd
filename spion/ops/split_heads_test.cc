#include "spion/ops/split_heads.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "spion/testing/seed.h"

namespace spion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kHeads = 2;

at::Tensor Projection() {
  at::manual_seed(TestSeed(1));
  return at::randn({3, 5, 3 * kHeads * 4}).requires_grad_();
}

TEST(SplitHeadsTest, PartsAreViewsOfTheProjection) {
  const at::Tensor qkv = Projection();
  const auto parts = SplitHeads(qkv, kHeads);
  for (int64_t i = 0; i < 3; ++i) {
    const at::Tensor expected = qkv.view({3, 5, 3, kHeads, 4}).select(2, i).transpose(1, 2);
    EXPECT_TRUE(parts[i].equal(expected));
    EXPECT_EQ(parts[i].const_data_ptr(), expected.const_data_ptr());
  }
}

TEST(SplitHeadsTest, GathersGradients) {
  const at::Tensor qkv = Projection();
  const auto [q, k, v] = SplitHeads(qkv, kHeads);
  const at::Tensor weights = at::randn({3, kHeads, 3, 5, 4});
  ((q * weights.select(2, 0)).sum() + (k * weights.select(2, 1)).sum() +
   (v * weights.select(2, 2)).sum())
      .backward();
  EXPECT_TRUE(qkv.grad().equal(weights.permute({0, 3, 2, 1, 4}).reshape(qkv.sizes())));
}

TEST(SplitHeadsTest, AMissingGradientIsZero) {
  const at::Tensor qkv = Projection();
  const auto [q, k, v] = SplitHeads(qkv, kHeads);
  (q.sum() + 2 * v.sum()).backward();
  const at::Tensor grad = qkv.grad().view({3, 5, 3, kHeads, 4});
  EXPECT_TRUE(grad.select(2, 0).eq(1).all().item<bool>());
  EXPECT_TRUE(grad.select(2, 1).eq(0).all().item<bool>());
  EXPECT_TRUE(grad.select(2, 2).eq(2).all().item<bool>());
}

// Gives q's part of a packed gradient of 0, 1, 2 ..., as a kernel would.
const void* packed_data = nullptr;
class PackedGradients : public torch::autograd::Function<PackedGradients> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v) {
    context->save_for_backward({q});
    return (q + k + v).sum();
  }
  static variable_list backward(AutogradContext* context, const variable_list&) {
    const at::Tensor like = context->get_saved_variables()[0];
    const at::Tensor packed =
        at::empty({like.size(0), like.size(2), 3, like.size(1), like.size(3)}, like.options());
    const auto part = [&](int64_t i) { return packed.select(2, i).transpose(1, 2); };
    const at::Tensor q = part(0), k = part(1), v = part(2);
    q.fill_(1);
    k.fill_(2);
    v.fill_(3);
    packed_data = q.const_data_ptr();
    return {q, k, v};
  }
};

TEST(SplitHeadsTest, TakesGradientsThatLieSideBySideAsTheyAre) {
  const at::Tensor qkv = Projection();
  at::Tensor seen;
  qkv.register_hook([&](const at::Tensor& grad) { seen = grad; });
  const auto [q, k, v] = SplitHeads(qkv, kHeads);
  PackedGradients::apply(q, k, v).backward();
  EXPECT_EQ(seen.const_data_ptr(), packed_data);
  EXPECT_TRUE(seen.is_contiguous());
  const at::Tensor grad = qkv.grad().view({3, 5, 3, kHeads, 4});
  for (int64_t i = 0; i < 3; ++i) EXPECT_TRUE(grad.select(2, i).eq(i + 1).all().item<bool>());
}

TEST(SplitHeadsTest, IsDifferentiableTwice) {
  const at::Tensor qkv = Projection();
  const auto loss = [](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    return (q.pow(3) * k * v.square()).sum();
  };
  const auto second = [&](const at::Tensor& of) {
    const at::Tensor first = torch::autograd::grad({of}, {qkv}, {}, /*retain_graph=*/true,
                                                   /*create_graph=*/true)[0];
    return torch::autograd::grad({first.square().sum()}, {qkv})[0];
  };
  const auto [q, k, v] = SplitHeads(qkv, kHeads);
  const at::Tensor parts = qkv.view({3, 5, 3, kHeads, 4}).transpose(1, 3);
  EXPECT_TRUE(
      second(loss(q, k, v))
          .allclose(second(loss(parts.select(2, 0), parts.select(2, 1), parts.select(2, 2)))));
}

TEST(SplitHeadsTest, ASecondGradientSeesAllPartsOfAPackedOne) {
  // As block-sparse attention leaves it, but with a graph: slices of one tensor.
  const at::Tensor qkv = Projection();
  const auto [q, k, v] = SplitHeads(qkv, kHeads);
  const at::Tensor factors = at::randn({3, 5, 3, kHeads, 4}).requires_grad_();
  const auto part = [&](int64_t i) { return factors.select(2, i).transpose(1, 2); };
  const at::Tensor first =
      torch::autograd::grad({q, k, v}, {qkv}, {part(0), part(1), part(2)}, /*retain_graph=*/true,
                            /*create_graph=*/true)[0];
  const at::Tensor second = torch::autograd::grad({first.sum()}, {factors})[0];
  EXPECT_TRUE(second.eq(1).all().item<bool>());
}

TEST(SplitHeadsTest, TakesAnEmptyBatch) {
  const at::Tensor qkv = at::randn({0, 5, 3 * kHeads * 4}).requires_grad_();
  const auto [q, k, v] = SplitHeads(qkv, kHeads);
  EXPECT_EQ(k.sizes(), at::IntArrayRef({0, kHeads, 5, 4}));
  (q.sum() + k.sum() + v.sum()).backward();
  EXPECT_EQ(qkv.grad().sizes(), qkv.sizes());
}

TEST(SplitHeadsTest, RefusesOtherShapes) {
  EXPECT_THROW(SplitHeads(at::randn({2, 4, 12}), 0), c10::Error);
  EXPECT_THROW(SplitHeads(at::randn({2, 4, 7}), kHeads), c10::Error);
  EXPECT_THROW(SplitHeads(at::randn({4, 2, 12}).transpose(0, 1), kHeads), c10::Error);
}

}  // namespace
}  // namespace spion
