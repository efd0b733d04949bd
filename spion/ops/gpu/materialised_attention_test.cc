// Attention with its probabilities in memory, on a GPU, against the same in double on the CPU.
#include "spion/ops/materialised_attention.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "spion/ops/gpu/gpu.h"
#include "spion/ops/gpu/leaf.h"
#include "spion/testing/seed.h"

namespace spion {
namespace {

using Param = std::tuple<int64_t, bool>;
class GpuMaterialisedAttentionTest : public testing::TestWithParam<Param> {};

TEST_P(GpuMaterialisedAttentionTest, IsAttentionWithItsGradients) {
  constexpr int64_t kBatch = 4;
  const auto [length, has_padding] = GetParam();
  at::manual_seed(TestSeed(1));
  const Leaf q = MakeLeaf({kBatch, 2, length, 32}, 0, at::kBFloat16);
  const Leaf k = MakeLeaf({kBatch, 2, length, 32}, 0, at::kBFloat16);
  const Leaf v = MakeLeaf({kBatch, 2, length, 32}, 0, at::kBFloat16);
  const at::Tensor grad = at::randn({kBatch, 2, length, 32}).to(at::kBFloat16);
  std::optional<at::Tensor> lengths;
  at::Tensor scores = q.wide.matmul(k.wide.transpose(2, 3)) / std::sqrt(32.0);
  if (has_padding) {
    const at::Tensor host = at::tensor({length, int64_t{1}, length / 3, int64_t{0}}, at::kInt);
    lengths = host.to(Gpu());
    const at::Tensor padded = at::arange(length).unsqueeze(0).ge(host.unsqueeze(1));
    scores = scores.masked_fill(padded.view({kBatch, 1, 1, length}), -1e30);
  }
  ASSERT_TRUE(CanMaterialise(q.gpu));
  const at::Tensor out = MaterialisedAttention(q.gpu, k.gpu, v.gpu, lengths);
  out.backward(grad.to(Gpu()));
  const at::Tensor expected = at::softmax(scores, 3).matmul(v.wide);
  expected.backward(grad.to(at::kDouble));
  constexpr double kRounding = 0x1p-8;  // of scores, probabilities, their gradients, the result
  EXPECT_LE(RelativeError(out, expected), 2 * kRounding);
  EXPECT_LE(RelativeError(q.gpu.grad(), q.wide.grad()), 4 * kRounding);
  EXPECT_LE(RelativeError(k.gpu.grad(), k.wide.grad()), 4 * kRounding);
  EXPECT_LE(RelativeError(v.gpu.grad(), v.wide.grad()), 2 * kRounding);
}

INSTANTIATE_TEST_SUITE_P(All, GpuMaterialisedAttentionTest,
                         testing::Combine(testing::Values(16, 1000, 1024, 2048, 4096),
                                          testing::Bool()),
                         [](const testing::TestParamInfo<Param>& info) {
                           return absl::StrCat("Length", std::get<0>(info.param),
                                               std::get<1>(info.param) ? "Padded" : "");
                         });

TEST(CanMaterialiseTest, IsForBfloat16OnAGpuInEights) {
  EXPECT_FALSE(CanMaterialise(at::randn({1, 1, 64, 32}).to(at::kBFloat16)));
  EXPECT_FALSE(CanMaterialise(at::randn({1, 1, 64, 32}).to(Gpu())));
  EXPECT_FALSE(CanMaterialise(at::randn({1, 1, 60, 32}).to(Gpu()).to(at::kBFloat16)));
  EXPECT_FALSE(CanMaterialise(at::randn({1, 1, 0, 32}).to(Gpu()).to(at::kBFloat16)));
  const at::Tensor q = at::randn({1, 1, 60, 32}).to(Gpu()).to(at::kBFloat16);
  EXPECT_THAT([&] { MaterialisedAttention(q, q, q, std::nullopt); },
              testing::ThrowsMessage<c10::Error>(testing::HasSubstr("multiple of 8 up to 8192")));
}

}  // namespace
}  // namespace spion
