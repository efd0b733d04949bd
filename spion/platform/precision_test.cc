// On the CPU, whose autocast is the same machinery as the GPU's.
#include "spion/platform/precision.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const c10::Device kGpu(at::kCUDA, 0);

TEST(PrecisionTest, AutoIsBfloat16OnAGpuOnly) {
  EXPECT_EQ(ChoosePrecision("auto", kGpu).value(), Precision::kBfloat16);
  EXPECT_EQ(ChoosePrecision("auto", at::kCPU).value(), Precision::kFloat32);
  EXPECT_EQ(ChoosePrecision("float32", kGpu).value(), Precision::kFloat32);
  EXPECT_EQ(ChoosePrecision("tf32", kGpu).value(), Precision::kTf32);
  EXPECT_EQ(ChoosePrecision("bfloat16", kGpu).value(), Precision::kBfloat16);
}

TEST(PrecisionTest, RefusesWhatThereIsNot) {
  for (const char* text : {"tf32", "bfloat16"}) {
    EXPECT_THAT(std::string(ChoosePrecision(text, at::kCPU).status().message()),
                AllOf(HasSubstr(text), HasSubstr("--precision=float32 runs here")));
  }
  EXPECT_THAT(std::string(ChoosePrecision("half", kGpu).status().message()),
              HasSubstr("auto, float32, tf32, bfloat16"));
}

TEST(PrecisionTest, SetsHowFloat32IsMultiplied) {
  SetFloat32Math(Precision::kTf32);
  EXPECT_TRUE(at::globalContext().allowTF32CuBLAS());
  SetFloat32Math(Precision::kFloat32);
  EXPECT_FALSE(at::globalContext().allowTF32CuBLAS());
}

TEST(AutocastScopeTest, MatrixProductsInBfloat16LossAndGradientsInFloat32) {
  const at::Tensor weight = at::randn({8, 8}).requires_grad_();
  const at::Tensor x = at::randn({4, 8});
  at::Tensor loss;
  {
    AutocastScope scope(Precision::kBfloat16, at::kCPU);
    const at::Tensor logits = at::linear(x, weight);
    EXPECT_EQ(logits.scalar_type(), at::kBFloat16);
    loss = at::cross_entropy_loss(logits, at::zeros({4}, at::kLong));
    EXPECT_EQ(loss.scalar_type(), at::kFloat);
  }
  EXPECT_EQ(at::linear(x, weight).scalar_type(), at::kFloat);
  loss.backward();
  EXPECT_EQ(weight.grad().scalar_type(), at::kFloat);
}

TEST(AutocastScopeTest, SeesTheWeightsOfItsOwnTime) {
  at::Tensor weight = at::zeros({8, 8}).requires_grad_();
  const at::Tensor x = at::randn({4, 8});
  for (double value : {1.0, 2.0}) {
    weight.data().fill_(value);  // as an optimiser does, between two scopes
    AutocastScope scope(Precision::kBfloat16, at::kCPU);
    const at::Tensor expected = x.sum(1, /*keepdim=*/true) * value;
    EXPECT_LE((at::linear(x, weight) - expected).abs().max().item<float>(), 0.2f);
  }
}

TEST(AutocastScopeTest, Float32IsAsWithoutIt) {
  const at::Tensor weight = at::randn({8, 8});
  const at::Tensor x = at::randn({4, 8});
  const at::Tensor expected = at::linear(x, weight);
  AutocastScope scope(Precision::kFloat32, at::kCPU);
  EXPECT_TRUE(at::linear(x, weight).equal(expected));
}

}  // namespace
}  // namespace spion
