// The classifier and its loss on a GPU against the same in double on the CPU: a result may be off
// by twice what LibTorch's own functions are under autocast, a gradient by three times that.
#include "spion/ops/classifier.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "spion/ops/gpu/autocast.h"
#include "spion/ops/gpu/gpu.h"
#include "spion/testing/seed.h"

namespace spion {
namespace {

using at::Tensor;
using Tensors = std::vector<Tensor>;

struct Sizes {
  int64_t examples, features, hidden, classes;
};

// Features, then weights and biases.
Tensors Operands(const Sizes& s) {
  return {at::randn({s.examples, s.features}), at::randn({s.hidden, s.features}).div_(8),
          at::randn({s.hidden}), at::randn({s.classes, s.hidden}).div_(8), at::randn({s.classes})};
}
Tensors Leaves(const Tensors& operands, const at::TensorOptions& options) {
  Tensors leaves;
  for (const Tensor& operand : operands) leaves.push_back(operand.to(options).requires_grad_());
  return leaves;
}
class GpuClassifierTest : public testing::TestWithParam<Sizes> {};
INSTANTIATE_TEST_SUITE_P(Sizes, GpuClassifierTest,
                         testing::Values(Sizes{1, 64, 128, 10}, Sizes{128, 64, 128, 10},
                                         Sizes{33, 256, 128, 2}, Sizes{600, 1000, 100, 16}));

// Loss, logits and gradients, in double on the CPU. `loss`: of the leaves.
Tensors Collect(const Tensor& loss, const Tensor& logits, const Tensors& leaves) {
  (2 * loss).backward();
  Tensors results = {loss, logits};
  for (const Tensor& leaf : leaves) results.push_back(leaf.grad());
  for (Tensor& result : results) result = result.detach().cpu().to(at::kDouble);
  return results;
}
Tensors RunPlain(const Tensors& leaves, const Tensor& labels) {
  const Tensor logits =
      at::linear(at::relu(at::linear(leaves[0], leaves[1], leaves[2])), leaves[3], leaves[4]);
  return Collect(at::cross_entropy_loss(logits, labels), logits, leaves);
}

TEST_P(GpuClassifierTest, IsAsExactAsTheFrameworkWithItsGradients) {
  const AutocastToBfloat16 autocast;
  at::manual_seed(TestSeed(1));
  const Tensors operands = Operands(GetParam());
  const Tensor labels = at::randint(GetParam().classes, {GetParam().examples}, at::kLong);
  const Tensors truth =
      RunPlain(Leaves(operands, at::TensorOptions(at::kDouble).device(at::kCPU)), labels);
  const Tensors framework = RunPlain(Leaves(operands, at::TensorOptions(Gpu())), labels.to(Gpu()));
  const Tensors gpu = Leaves(operands, at::TensorOptions(Gpu()));
  const Tensor logits = Classify(gpu[0], {gpu[1], gpu[2]}, {gpu[3], gpu[4]});
  ASSERT_EQ(logits.scalar_type(), at::kFloat);
  const Judgement judgement = JudgeLogits(logits, labels.to(Gpu()));
  EXPECT_EQ(judgement.right.item<float>(),
            logits.detach().argmax(1).cpu().eq(labels).sum().item<float>());
  const Tensors results = Collect(judgement.loss, logits, gpu);
  for (size_t i = 0; i < truth.size(); ++i) {
    const auto error = [&](const Tensor& result) {
      return ((result - truth[i]).norm() / truth[i].norm()).item<double>();
    };
    EXPECT_LE(error(results[i]), (i < 2 ? 2 : 3) * error(framework[i]) + 1e-3) << "result " << i;
  }
}

TEST_P(GpuClassifierTest, SameBitsEveryRun) {
  const AutocastToBfloat16 autocast;
  at::manual_seed(TestSeed(2));
  const Tensors leaves = Leaves(Operands(GetParam()), at::TensorOptions(Gpu()));
  const Tensor labels = at::randint(GetParam().classes, {GetParam().examples}, at::kLong).to(Gpu());
  const auto results = [&] {
    for (const Tensor& leaf : leaves) leaf.mutable_grad().reset();
    const Tensor loss =
        JudgeLogits(Classify(leaves[0], {leaves[1], leaves[2]}, {leaves[3], leaves[4]}), labels)
            .loss;
    loss.backward();
    Tensors all = {loss.detach()};
    for (const Tensor& leaf : leaves) all.push_back(leaf.grad());
    return all;
  };
  const Tensors first = results();
  for (int run = 0; run < 200; ++run) {
    const Tensors again = results();
    for (size_t i = 0; i < first.size(); ++i) ASSERT_TRUE(again[i].equal(first[i])) << i;
  }
}

TEST(GpuClassifierFormTest, OtherSizesAndTypesAreLibTorchs) {
  at::manual_seed(TestSeed(3));
  const auto run = [](const Sizes& sizes) {
    const Tensors t = Leaves(Operands(sizes), at::TensorOptions(Gpu()));
    const Tensor logits = Classify(t[0], {t[1], t[2]}, {t[3], t[4]});
    const Tensor labels = at::randint(sizes.classes, {sizes.examples}, at::kLong).to(Gpu());
    const Judgement judgement = JudgeLogits(logits, labels);
    judgement.loss.backward();
    EXPECT_TRUE(t[0].grad().isfinite().all().item<bool>());
    return logits.scalar_type();
  };
  EXPECT_EQ(run({8, 64, 128, 10}), at::kFloat);  // no autocast: LibTorch's, in float32
  const AutocastToBfloat16 autocast;
  EXPECT_EQ(run({8, 66, 128, 10}), at::kBFloat16);
  EXPECT_EQ(run({8, 64, 128, 100}), at::kBFloat16);
}

TEST(GpuClassifierFormTest, NamesTheOperand) {
  const AutocastToBfloat16 autocast;
  const Tensors t = Leaves(Operands({8, 64, 128, 10}), at::TensorOptions(Gpu()));
  const auto with = [&](const Tensor& hidden, const Tensor& classes) {
    return [&t, hidden, classes] { Classify(t[0], {hidden, t[2]}, {classes, t[4]}); };
  };
  const auto says = [](const char* text) {
    return testing::Throws<c10::Error>(
        testing::Property(&c10::Error::msg, testing::HasSubstr(text)));
  };
  EXPECT_THAT(with(t[1], t[3].narrow(1, 0, 64)), says("class weight must be Float [10, 128]"));
  EXPECT_THAT(with(t[1].t().contiguous().t(), t[3]), says("hidden weight must be contiguous"));
}

TEST(GpuClassifierSanitizerTest, ForwardAndBackward) {
  const AutocastToBfloat16 autocast;
  at::manual_seed(TestSeed(4));
  const Tensors t = Leaves(Operands({33, 68, 128, 10}), at::TensorOptions(Gpu()));
  const Tensor labels = at::randint(10, {33}, at::kLong).to(Gpu());
  JudgeLogits(Classify(t[0], {t[1], t[2]}, {t[3], t[4]}), labels).loss.backward();
  for (const Tensor& leaf : t) EXPECT_TRUE(leaf.grad().isfinite().all().item<bool>());
}

}  // namespace
}  // namespace spion
