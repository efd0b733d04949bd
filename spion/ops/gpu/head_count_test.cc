// No heads, and more than a grid has rows: 65,535.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "spion/ops/attention_map.h"
#include "spion/ops/block_sparse_attention.h"
#include "spion/ops/gpu/gpu.h"
#include "spion/ops/gpu/leaf.h"
#include "spion/ops/gpu/precision_case.h"
#include "spion/ops/materialised_attention.h"
#include "spion/ops/token_rows.h"
#include "spion/testing/pattern_zoo.h"
#include "spion/testing/seed.h"

namespace spion {
namespace {

constexpr int64_t kMany = 70000;
constexpr int64_t kLength = 32;
constexpr int kBlock = 16;

class HeadCountTest : public ::testing::TestWithParam<TestPrecision> {
 protected:
  at::TensorOptions Options() const {
    return at::TensorOptions(ScalarTypeOf(GetParam())).device(Gpu());
  }

  CaseTensors Tensors(int64_t batch, int64_t heads) const {
    at::manual_seed(TestSeed(101));
    const auto numbers = [&] { return at::randn({batch, heads, kLength, 32}, Options()); };
    return {.q = numbers().requires_grad_(),
            .k = numbers().requires_grad_(),
            .v = numbers().requires_grad_(),
            .grad_out = numbers(),
            .padding = at::randint(kLength + 1, {batch}, Options().dtype(at::kInt))};
  }

  AttentionResult Run(const CaseTensors& tensors, const std::vector<BlockPattern>& patterns) const {
    const PatternTensors pattern = ToTensors(patterns, Gpu());
    return ForwardAndBackward(
        [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
          return BlockSparseAttention(q, k, v, pattern, tensors.padding, PrunedScore::kZero,
                                      Float32MathOf(GetParam()));
        },
        tensors);
  }

  /// The results of some examples (dimension 0) or heads (1) among many are those that they have by
  /// themselves, bit by bit: other tests say that these are right.
  void ExpectPartsAsAlone(int64_t dimension, const std::vector<BlockPattern>& patterns) const {
    const CaseTensors tensors =
        dimension == 0
            ? Tensors(kMany, patterns.size() == 1 ? 1 : static_cast<int64_t>(patterns.size()))
            : Tensors(1, kMany);
    const AttentionResult all = Run(tensors, patterns);
    constexpr int64_t kSome = 20;
    for (const int64_t first : {int64_t{0}, int64_t{65525}, kMany - kSome}) {
      SCOPED_TRACE(testing::Message() << "from " << first << " on");
      const auto part = [&](const at::Tensor& x) { return x.narrow(dimension, first, kSome); };
      const auto leaf = [&](const at::Tensor& x) {
        return part(x.detach()).clone().requires_grad_();
      };
      std::vector<BlockPattern> some = patterns;
      if (dimension == 1 && patterns.size() > 1) {
        some.assign(patterns.begin() + first, patterns.begin() + first + kSome);
      }
      const AttentionResult alone =
          Run({.q = leaf(tensors.q),
               .k = leaf(tensors.k),
               .v = leaf(tensors.v),
               .grad_out = part(tensors.grad_out).clone(),
               .padding = dimension == 0 ? part(*tensors.padding).clone() : *tensors.padding},
              some);
      EXPECT_TRUE(
          SameBits({part(all.out), part(all.grad_q), part(all.grad_k), part(all.grad_v)}, alone));
    }
  }
};

TEST_P(HeadCountTest, SeventyThousandExamples) {
  ExpectPartsAsAlone(0, {LongColumns(kLength / kBlock, kBlock)});
}

TEST_P(HeadCountTest, SeventyThousandExamplesWithAPatternAHead) {
  ExpectPartsAsAlone(0,
                     {DiagonalOnly(kLength / kBlock, kBlock), AllBlocks(kLength / kBlock, kBlock)});
}

TEST_P(HeadCountTest, SeventyThousandHeads) {
  ExpectPartsAsAlone(1, {LongColumns(kLength / kBlock, kBlock)});
}

TEST_P(HeadCountTest, SeventyThousandHeadsWithAPatternEach) {
  std::vector<BlockPattern> patterns;
  for (int64_t i = 0; i < kMany; ++i) {
    patterns.push_back(i % 2 == 0 ? DiagonalOnly(kLength / kBlock, kBlock)
                                  : AllBlocks(kLength / kBlock, kBlock));
  }
  ExpectPartsAsAlone(1, patterns);
}

TEST_P(HeadCountTest, TheMapOfSeventyThousandIsTheMeanOfItsParts) {
  const FrameworkPrecision precision(GetParam());
  for (const auto& [batch, heads] : {std::pair(kMany, int64_t{1}), std::pair(int64_t{1}, kMany)}) {
    const CaseTensors tensors = Tensors(batch, heads);
    const at::Tensor all = MeanAttentionMap(tensors.q, tensors.k, std::nullopt);
    const at::Tensor scores = tensors.q.detach()
                                  .to(at::kDouble)
                                  .matmul(tensors.k.detach().to(at::kDouble).transpose(2, 3)) /
                              std::sqrt(32.0);
    const at::Tensor expected = scores.softmax(3).mean(c10::IntArrayRef{0, 1});
    EXPECT_LE(RelativeError(all, expected.cpu()), 1e-5 + Roundoff(GetParam()));
  }
}

TEST_P(HeadCountTest, EmptyInEmptyOut) {
  const FrameworkPrecision precision(GetParam());
  for (const auto& [batch, heads] : {std::pair(0, 2), std::pair(3, 0), std::pair(0, 0)}) {
    const CaseTensors tensors = Tensors(batch, heads);
    const AttentionResult result = Run(tensors, {DiagonalOnly(kLength / kBlock, kBlock)});
    for (const at::Tensor& tensor : {result.out, result.grad_q, result.grad_k, result.grad_v}) {
      EXPECT_EQ(tensor.sizes(), tensors.q.sizes());
      EXPECT_EQ(tensor.scalar_type(), tensors.q.scalar_type());
      EXPECT_TRUE(tensor.is_cuda());
    }
    const at::Tensor map = MeanAttentionMap(tensors.q, tensors.k, tensors.padding);
    EXPECT_EQ(map.sizes(), at::IntArrayRef({kLength, kLength}));
    EXPECT_TRUE(map.eq(0).all().item<bool>());
  }
}

INSTANTIATE_TEST_SUITE_P(All, HeadCountTest, ::testing::ValuesIn(kPrecisions),
                         [](const auto& info) { return Name(info.param); });

TEST(EmptyBatchTest, AttentionByWarpgroups) {
  for (const int64_t head_dim : {32, 64, 128}) {
    for (const int block_size : {64, 128}) {
      const PatternTensors pattern = ToTensors(AllBlocks(4, block_size), Gpu());
      const at::Tensor q = at::empty({0, 2, 4 * block_size, head_dim},
                                     at::TensorOptions(at::kBFloat16).device(Gpu()))
                               .requires_grad_();
      for (const bool deterministic : {true, false}) {
        const at::Tensor out = BlockSparseAttention(
            q, q, q, pattern, std::nullopt, PrunedScore::kZero, Float32Math::kExact, deterministic);
        EXPECT_EQ(out.sizes(), q.sizes());
        EXPECT_EQ(torch::autograd::grad({out.sum()}, {q})[0].sizes(), q.sizes());
      }
    }
  }
}

TEST(EmptyBatchTest, MaterialisedAttention) {
  const at::Tensor q =
      at::empty({0, 2, 64, 32}, at::TensorOptions(at::kBFloat16).device(Gpu())).requires_grad_();
  ASSERT_TRUE(CanMaterialise(q));
  for (const std::optional<at::Tensor>& lengths :
       {std::optional<at::Tensor>(), std::optional(at::empty({0}, at::kInt).to(Gpu()))}) {
    const at::Tensor out = MaterialisedAttention(q, q, q, lengths);
    EXPECT_EQ(out.sizes(), q.sizes());
    EXPECT_EQ(torch::autograd::grad({out.sum()}, {q})[0].sizes(), q.sizes());
  }
}

/// Gradients of the leaves have their sizes, and those of parameters are 0.
void ExpectEmptyGradients(const at::Tensor& sum, const std::vector<at::Tensor>& leaves) {
  const std::vector<at::Tensor> gradients = torch::autograd::grad({sum}, leaves);
  for (size_t i = 0; i < leaves.size(); ++i) {
    EXPECT_EQ(gradients[i].sizes(), leaves[i].sizes());
    EXPECT_TRUE(gradients[i].eq(0).all().item<bool>());
  }
}

TEST(EmptyBatchTest, TokenRows) {
  const auto parameter = [](at::IntArrayRef sizes) {
    return at::randn(sizes).to(Gpu()).requires_grad_();
  };
  const at::Tensor weight = parameter({64});
  const at::Tensor bias = parameter({64});
  const at::Tensor matrix = parameter({128, 64});
  const at::Tensor offset = parameter({128});
  const at::Tensor tokens = parameter({7, 64});
  const at::Tensor positions = parameter({16, 64});
  const at::Tensor x = parameter({0, 16, 64});
  const at::Tensor ids = at::zeros({0, 16}, at::kLong).to(Gpu());
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const at::Tensor normed = NormRows(x, weight, bias, dtype);
    EXPECT_EQ(normed.sizes(), x.sizes());
    ExpectEmptyGradients(normed.sum(), {x, weight, bias});
    const NormedSum added = AddNorm(x, x, 0.1, weight, bias, dtype);
    ExpectEmptyGradients(added.sum.sum() + added.normed.sum(), {x, weight, bias});
    const NormedSum embedded = EmbedNorm(ids, tokens, positions, 0.1, weight, bias, dtype);
    EXPECT_EQ(embedded.sum.sizes(), x.sizes());
    ExpectEmptyGradients(embedded.sum.sum() + embedded.normed.sum(),
                         {tokens, positions, weight, bias});
    ExpectEmptyGradients(GeluDropout(x.to(dtype), 0.1).sum(), {x});
  }
  for (const bool is_autocast : {false, true}) {
    at::autocast::set_autocast_enabled(at::kCUDA, is_autocast);
    at::autocast::set_autocast_dtype(at::kCUDA, at::kBFloat16);
    const at::Tensor out = LinearMap(x, matrix, offset);
    at::autocast::set_autocast_enabled(at::kCUDA, false);
    EXPECT_EQ(out.sizes(), at::IntArrayRef({0, 16, 128}));
    ExpectEmptyGradients(out.sum(), {x, matrix, offset});
  }
}

}  // namespace
}  // namespace spion
