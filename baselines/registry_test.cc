#include "baselines/registry.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "spion/nn/classifier.h"

namespace spion {
namespace {

constexpr ModelConfig kConfig{.vocabulary = 11, .classes = 5, .length = 256, .layers = 2};
constexpr int kValid = 150;  // of the first example

class MethodTest : public ::testing::TestWithParam<std::string> {
 protected:
  MethodTest() {
    at::manual_seed(51);
    ids_ = at::randint(1, kConfig.vocabulary, {2, 1, kConfig.length}, at::kLong);
  }

  SequenceClassifier Model() const {
    at::manual_seed(52);
    return {kConfig, at::kCPU, FindMethod(GetParam())->make_attention};
  }
  at::Tensor Logits(const SequenceClassifier& model) const {
    at::manual_seed(53);
    return model.Forward(ids_, lengths_, /*training=*/false);
  }

  at::Tensor ids_;
  at::Tensor lengths_ = at::tensor({kValid, 256}, at::kInt);
};

TEST_P(MethodTest, TrainsAModel) {
  for (const Lengths& lengths : {Lengths(), Lengths(lengths_)}) {
    const SequenceClassifier model = Model();
    const at::Tensor logits = model.Forward(ids_, lengths, /*training=*/true);
    logits.square().sum().backward();
    EXPECT_TRUE(logits.isfinite().all().item<bool>());
    for (const NamedTensor& parameter : model.parameters().items()) {
      ASSERT_TRUE(parameter.value.grad().defined()) << parameter.name;
      EXPECT_TRUE(parameter.value.grad().isfinite().all().item<bool>()) << parameter.name;
    }
  }
}

TEST_P(MethodTest, PaddedIdsDoNotMatter) {
  const SequenceClassifier model = Model();
  const at::Tensor before = Logits(model);
  ids_.select(0, 0).slice(1, kValid).fill_(3);
  EXPECT_LE(Logits(model).sub(before).abs().max().item<double>(), 1e-5);
  ids_.select(0, 0).slice(1, 0, kValid).fill_(3);
  EXPECT_GT(Logits(model).sub(before).abs().max().item<double>(), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Methods, MethodTest, ::testing::ValuesIn(MethodNames()),
                         [](const auto& info) { return info.param; });

// Else the target of a name in methods.bzl would find no method, or another one.
TEST(RegistryTest, NamesAreThoseOfTheList) {
  const std::vector<std::string> listed = absl::StrSplit(std::getenv("METHODS"), ' ');
  EXPECT_EQ(MethodNames(), listed) << "the name that a method.cc gives to MakeMethod is its key in "
                                      "baselines/methods.bzl";
}

TEST(RegistryTest, AnotherNameIsRefusedWithTheValidOnes) {
  const auto method = FindMethod("sparse");
  EXPECT_EQ(method.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(method.status().message()), ::testing::HasSubstr("skyformer"));
}

}  // namespace
}  // namespace spion
