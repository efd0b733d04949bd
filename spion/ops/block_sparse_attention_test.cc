// The operators as LibTorch sees them: values against the oracle, autograd, layouts and bad input.
#include "spion/ops/block_sparse_attention.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <exception>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "spion/ops/attention_map.h"
#include "spion/reference/attention.h"
#include "spion/testing/attention_case.h"
#include "spion/testing/pattern_zoo.h"
#include "spion/testing/seed.h"
#include "spion/testing/tolerance.h"

namespace spion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr AttentionShape kShape{.batch = 3, .heads = 2, .length = 128, .head_dim = 32};
constexpr int kBlock = 32;

at::Tensor AsTensor(std::vector<float>& values, const AttentionShape& shape) {
  return at::from_blob(values.data(), {shape.batch, shape.heads, shape.length, shape.head_dim},
                       at::kFloat)
      .clone();
}

std::vector<float> Floats(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.detach().contiguous();
  return {plain.const_data_ptr<float>(), plain.const_data_ptr<float>() + plain.numel()};
}

std::vector<double> Doubles(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

reference::Input OracleInput(const AttentionCase& c, std::vector<BlockPattern> patterns,
                             PrunedScore pruned) {
  return {.batch = c.shape.batch,
          .heads = c.shape.heads,
          .length = c.shape.length,
          .head_dim = c.shape.head_dim,
          .scale = c.scale,
          .pruned = pruned,
          .patterns = std::move(patterns),
          .lengths = c.lengths,
          .valid = c.valid,
          .q = Doubles(c.q),
          .k = Doubles(c.k),
          .v = Doubles(c.v)};
}

std::optional<at::Tensor> Padding(AttentionCase& c) {
  if (!c.lengths.empty()) return at::tensor(c.lengths, at::kInt);
  if (c.valid.empty()) return std::nullopt;
  return at::from_blob(c.valid.data(), {c.shape.batch, c.shape.length}, at::kByte).to(at::kBool);
}

std::string MessageOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const c10::Error& error) {
    return error.what_without_backtrace();
  }
  return "no error";
}

class OperatorTest : public ::testing::TestWithParam<std::tuple<CasePadding, PrunedScore>> {};

TEST_P(OperatorTest, AgreesWithTheOracleInValueAndGradients) {
  const auto [padding, pruned] = GetParam();
  AttentionCase c = MakeAttentionCase(kShape, padding, 1.0, TestSeed(11));
  const BlockPattern pattern = RandomBlocks(4, kBlock, 0.4, 3);
  at::Tensor q = AsTensor(c.q, kShape).requires_grad_();
  at::Tensor k = AsTensor(c.k, kShape).requires_grad_();
  at::Tensor v = AsTensor(c.v, kShape).requires_grad_();

  const at::Tensor out =
      BlockSparseAttention(q, k, v, ToTensors(pattern, at::kCPU), Padding(c), pruned);
  out.backward(AsTensor(c.grad_out, kShape));

  const reference::Input input = OracleInput(c, {pattern}, pruned);
  const reference::Gradients gradients = reference::Backward(input, Doubles(c.grad_out));
  const AttentionTolerance tolerance{.max_score = c.MaxScore(), .terms = kShape.length};
  EXPECT_LE(NormError(Floats(out), reference::Forward(input).out), tolerance.forward());
  EXPECT_LE(NormError(Floats(q.grad()), gradients.q), tolerance.backward());
  EXPECT_LE(NormError(Floats(k.grad()), gradients.k), tolerance.backward());
  EXPECT_LE(NormError(Floats(v.grad()), gradients.v), tolerance.backward());
}

INSTANTIATE_TEST_SUITE_P(
    All, OperatorTest,
    ::testing::Combine(::testing::Values(CasePadding::kNone, CasePadding::kLengths,
                                         CasePadding::kMask),
                       ::testing::Values(PrunedScore::kZero, PrunedScore::kExcluded)),
    [](const auto& info) {
      return std::string(Name(std::get<0>(info.param))) +
             (std::get<1>(info.param) == PrunedScore::kZero ? "PrunedIsZero" : "PrunedIsExcluded");
    });

TEST(OperatorLayoutTest, TakesViewsOfAFusedProjectionAndLaysHeadsOutForJoining) {
  AttentionCase c = MakeAttentionCase(kShape, CasePadding::kNone, 1.0, TestSeed(12));
  const PatternTensors pattern = ToTensors(RandomBlocks(4, kBlock, 0.4, 3), at::kCPU);
  const at::Tensor q = AsTensor(c.q, kShape);
  const at::Tensor k = AsTensor(c.k, kShape);
  const at::Tensor v = AsTensor(c.v, kShape);
  const at::Tensor plain = BlockSparseAttention(q, k, v, pattern, std::nullopt, PrunedScore::kZero);

  // [B, L, 3, H, d], as a fused projection makes it.
  at::Tensor fused = at::stack({q, k, v}, 2).permute({0, 3, 2, 1, 4}).contiguous();
  fused.requires_grad_();
  const std::vector<at::Tensor> views = fused.permute({2, 0, 3, 1, 4}).unbind(0);
  const at::Tensor strided =
      BlockSparseAttention(views[0], views[1], views[2], pattern, std::nullopt, PrunedScore::kZero);
  EXPECT_TRUE(strided.equal(plain));
  EXPECT_TRUE(strided.transpose(1, 2).is_contiguous());
  strided.sum().backward();  // an expanded gradient
  EXPECT_TRUE(fused.grad().isfinite().all().item<bool>());
  EXPECT_GT(fused.grad().abs().sum().item<float>(), 0);
}

TEST(OperatorPatternTest, OnePatternAHead) {
  AttentionCase c = MakeAttentionCase(kShape, CasePadding::kNone, 1.0, TestSeed(13));
  const std::vector<BlockPattern> patterns = {RandomBlocks(4, kBlock, 0.4, 3),
                                              LongColumns(4, kBlock)};
  const at::Tensor out =
      BlockSparseAttention(AsTensor(c.q, kShape), AsTensor(c.k, kShape), AsTensor(c.v, kShape),
                           ToTensors(patterns, at::kCPU), std::nullopt, PrunedScore::kZero);
  const AttentionTolerance tolerance{.max_score = c.MaxScore(), .terms = kShape.length};
  EXPECT_LE(
      NormError(Floats(out), reference::Forward(OracleInput(c, patterns, PrunedScore::kZero)).out),
      tolerance.forward());
}

TEST(OperatorPaddingTest, ALengthOutsideTheSequenceCountsAsTheNearestWithin) {
  AttentionCase c = MakeAttentionCase(kShape, CasePadding::kNone, 1.0, TestSeed(19));
  const PatternTensors pattern = ToTensors(RandomBlocks(4, kBlock, 0.4, 3), at::kCPU);
  const auto out = [&](const at::Tensor& lengths) {
    return BlockSparseAttention(AsTensor(c.q, kShape), AsTensor(c.k, kShape), AsTensor(c.v, kShape),
                                pattern, lengths, PrunedScore::kExcluded);
  };
  const auto length = static_cast<int>(kShape.length);
  EXPECT_TRUE(
      out(at::tensor({-7, 5, 1 << 30}, at::kInt)).equal(out(at::tensor({0, 5, length}, at::kInt))));
}

class BadInputTest : public ::testing::Test {
 protected:
  std::string Message(const at::Tensor& q, const at::Tensor& k,
                      const std::optional<at::Tensor>& padding = std::nullopt) {
    return MessageOf(
        [&] { BlockSparseAttention(q, k, q_, pattern_, padding, PrunedScore::kZero); });
  }

  AttentionCase case_ = MakeAttentionCase(kShape, CasePadding::kNone, 1.0, 1);
  at::Tensor q_ = AsTensor(case_.q, kShape);
  PatternTensors pattern_ = ToTensors(DiagonalOnly(4, kBlock), at::kCPU);
};

TEST_F(BadInputTest, NamesWhatIsWrongAndWhatIsExpected) {
  EXPECT_THAT(Message(q_.to(at::kDouble), q_.to(at::kDouble)), HasSubstr("float32"));
  EXPECT_THAT(Message(q_, q_.slice(1, 0, 1)), HasSubstr("k must have q's sizes"));
  EXPECT_THAT(Message(q_, q_.to(at::kHalf)), HasSubstr("k must have q's dtype"));
  EXPECT_THAT(Message(q_[0], q_), HasSubstr("[batch, heads, length, head_dim]"));
  EXPECT_THAT(Message(q_.transpose(2, 3).contiguous().transpose(2, 3), q_), HasSubstr("stride 1"));
  EXPECT_THAT(Message(q_.slice(2, 0, 96), q_.slice(2, 0, 96)), HasSubstr("does not fit"));
  EXPECT_THAT(Message(q_.slice(2, 0, 100), q_), HasSubstr("multiple of block_size 32"));
  EXPECT_THAT(Message(q_, q_, at::tensor({1, 2}, at::kInt)), HasSubstr("lengths [3]"));
  EXPECT_THAT(Message(q_, q_, at::tensor({1.F, 2.F, 3.F})), HasSubstr("int32"));
}

TEST_F(BadInputTest, WhatIsNoPlainTensorIsNamed) {
  EXPECT_THAT(Message({}, q_), HasSubstr("q is undefined"));
  EXPECT_THAT(Message(q_, {}), HasSubstr("k is undefined"));
  EXPECT_THAT(Message(q_, q_.to(at::kMeta)), HasSubstr("k is Strided on meta"));
  EXPECT_THAT(Message(q_.to_sparse(), q_), HasSubstr("q is Sparse on cpu"));
  pattern_ = {};
  EXPECT_THAT(Message(q_, q_), HasSubstr("as ToTensors makes it, is undefined"));
  EXPECT_THAT(MessageOf([&] { MeanAttentionMap(q_, {}, std::nullopt); }),
              HasSubstr("k is undefined"));
}

TEST_F(BadInputTest, UnsupportedHeadDimensionIsNamed) {
  const at::Tensor q = q_.slice(3, 0, 24).contiguous();
  EXPECT_THAT(
      MessageOf([&] { BlockSparseAttention(q, q, q, pattern_, std::nullopt, PrunedScore::kZero); }),
      HasSubstr("24"));
}

TEST(OperatorGradientTest, ASecondGradientIsAnError) {
  AttentionCase c = MakeAttentionCase(kShape, CasePadding::kNone, 1.0, TestSeed(15));
  const PatternTensors pattern = ToTensors(RandomBlocks(4, kBlock, 0.4, 3), at::kCPU);
  const at::Tensor q = AsTensor(c.q, kShape).requires_grad_();
  const at::Tensor k = AsTensor(c.k, kShape);
  const at::Tensor v = AsTensor(c.v, kShape);
  const at::Tensor out = BlockSparseAttention(q, k, v, pattern, std::nullopt, PrunedScore::kZero);
  const at::Tensor gradient =
      torch::autograd::grad({out.sum()}, {q}, {}, /*retain_graph=*/true, /*create_graph=*/true)[0];
  EXPECT_THAT(MessageOf([&] { gradient.square().sum().backward(); }),
              AllOf(HasSubstr("BlockSparseAttention is differentiable once"), HasSubstr("detach")));
}

TEST(OperatorGradientTest, OperatorsWithoutAGradientRefuseToGiveOne) {
  // What the C++ functions stand on.
  AttentionCase c = MakeAttentionCase(kShape, CasePadding::kNone, 1.0, TestSeed(16));
  const at::Tensor q = AsTensor(c.q, kShape).requires_grad_();
  static const auto map = c10::Dispatcher::singleton()
                              .findSchemaOrThrow("spion::mean_attention_map", "")
                              .typed<at::Tensor(const at::Tensor&, const at::Tensor&,
                                                const std::optional<at::Tensor>&, bool)>();
  const at::Tensor with_graph = map.call(q, q, std::nullopt, true);
  EXPECT_THAT([&] { with_graph.sum().backward(); },
              ::testing::ThrowsMessage<std::exception>(HasSubstr("spion::mean_attention_map")));
  EXPECT_FALSE(MeanAttentionMap(q, q, std::nullopt).requires_grad());
}

// ---- No heads, and very many ----

TEST(HeadCountTest, MoreThanMemoryHolds) {
  const PatternTensors pattern = ToTensors(RandomBlocks(4, kBlock, 0.4, 3), at::kCPU);
  const at::Tensor q = at::empty({kShape.head_dim}).expand({int64_t{1} << 36, 2, 128, 32});
  EXPECT_THAT([&] { BlockSparseAttention(q, q, q, pattern, std::nullopt, PrunedScore::kZero); },
              ::testing::ThrowsMessage<c10::OutOfMemoryError>(HasSubstr("the CPU has none for")));
}

TEST(HeadCountTest, EmptyInEmptyOut) {
  const PatternTensors pattern = ToTensors(RandomBlocks(4, kBlock, 0.4, 3), at::kCPU);
  for (const auto& [batch, heads] : {std::pair(0, 2), std::pair(3, 0), std::pair(0, 0)}) {
    const at::Tensor q = at::empty({batch, heads, 128, 32}).requires_grad_();
    const at::Tensor k = at::empty({batch, heads, 128, 32}).requires_grad_();
    const at::Tensor v = at::empty({batch, heads, 128, 32}).requires_grad_();
    const std::optional<at::Tensor> paddings[] = {std::nullopt, at::empty({batch}, at::kInt),
                                                  at::empty({batch, 128}, at::kBool)};
    for (const std::optional<at::Tensor>& padding : paddings) {
      const at::Tensor out = BlockSparseAttention(q, k, v, pattern, padding, PrunedScore::kZero);
      EXPECT_EQ(out.sizes(), q.sizes());
      for (const at::Tensor& gradient : torch::autograd::grad({out.sum()}, {q, k, v})) {
        EXPECT_EQ(gradient.sizes(), q.sizes());
      }
      const at::Tensor map = MeanAttentionMap(q, k, padding);
      EXPECT_EQ(map.sizes(), at::IntArrayRef({128, 128}));
      EXPECT_TRUE(map.eq(0).all().item<bool>());
    }
  }
}

/// Random q, k, v and a gradient of [batch, heads, 16, 16], without the oracle's doubles of them.
struct ManyHeads {
  ManyHeads(int64_t batch, int64_t heads, const std::vector<BlockPattern>& patterns)
      : patterns(patterns) {
    at::manual_seed(TestSeed(17));
    for (at::Tensor* tensor : {&q, &k, &v, &grad_out}) *tensor = at::randn({batch, heads, 16, 16});
    lengths = at::randint(17, {batch}, at::kInt);
    for (const at::Tensor& tensor : {q, k, v}) tensor.requires_grad_();
  }

  /// One head, for the oracle.
  AttentionCase Head(int64_t batch, int64_t head) const {
    const auto values = [&](const at::Tensor& tensor) {
      return Floats(tensor.select(0, batch).select(0, head));
    };
    return {.shape = {.batch = 1, .heads = 1, .length = 16, .head_dim = 16},
            .scale = 0.25,
            .q = values(q),
            .k = values(k),
            .v = values(v),
            .grad_out = values(grad_out),
            .lengths = {lengths[batch].item<int32_t>()},
            .valid = {}};
  }

  at::Tensor q, k, v, grad_out;
  at::Tensor lengths;  // [batch]
  std::vector<BlockPattern> patterns;
};

void ExpectHeadsNearOracle(const ManyHeads& many) {
  const at::Tensor out = BlockSparseAttention(
      many.q, many.k, many.v, ToTensors(many.patterns, at::kCPU), many.lengths, PrunedScore::kZero);
  const std::vector<at::Tensor> gradients =
      torch::autograd::grad({out}, {many.q, many.k, many.v}, {many.grad_out});
  const int64_t heads = many.q.size(1);
  const int64_t all = many.q.size(0) * heads;
  for (const int64_t index :
       {int64_t{0}, int64_t{1}, int64_t{65534}, int64_t{65535}, int64_t{65536}, all - 2, all - 1}) {
    SCOPED_TRACE(testing::Message() << "head " << index << " of " << all);
    const int64_t b = index / heads;
    const int64_t h = index % heads;
    const AttentionCase c = many.Head(b, h);
    const BlockPattern& pattern = many.patterns[many.patterns.size() == 1 ? 0 : h];
    const reference::Input input = OracleInput(c, {pattern}, PrunedScore::kZero);
    const reference::Gradients truth = reference::Backward(input, Doubles(c.grad_out));
    const AttentionTolerance tolerance{.max_score = c.MaxScore(), .terms = 16};
    const auto error = [&](const at::Tensor& tensor, const std::vector<double>& expected) {
      return NormError(Floats(tensor.select(0, b).select(0, h)), expected, 1e-3);
    };
    EXPECT_LE(error(out, reference::Forward(input).out), tolerance.forward());
    EXPECT_LE(error(gradients[0], truth.q), tolerance.backward());
    EXPECT_LE(error(gradients[1], truth.k), tolerance.backward());
    EXPECT_LE(error(gradients[2], truth.v), tolerance.backward());
  }
}

TEST(HeadCountTest, SeventyThousandExamples) {
  ExpectHeadsNearOracle({70000, 1, {DiagonalOnly(1, 16)}});
}

TEST(HeadCountTest, SeventyThousandHeadsOfOnePattern) {
  ExpectHeadsNearOracle({1, 70000, {DiagonalOnly(1, 16)}});
}

TEST(HeadCountTest, SeventyThousandHeadsWithAPatternEach) {
  ExpectHeadsNearOracle({1, 70000, std::vector<BlockPattern>(70000, DiagonalOnly(1, 16))});
}

TEST(HeadCountTest, TheMapOfSeventyThousandExamplesIsTheMeanOfTheirMaps) {
  const ManyHeads many(70000, 1, {});
  const at::Tensor scores =
      many.q.detach().to(at::kDouble).matmul(many.k.detach().to(at::kDouble).transpose(2, 3)) / 4;
  const at::Tensor expected = scores.softmax(3).mean(c10::IntArrayRef{0, 1});
  const at::Tensor map = MeanAttentionMap(many.q, many.k, std::nullopt);
  EXPECT_LE((map - expected).norm().item<double>(), 1e-5 * expected.norm().item<double>());
}

TEST(MeanAttentionMapTest, AgreesWithTheOracleAndRowsSumToOne) {
  AttentionCase c = MakeAttentionCase(kShape, CasePadding::kLengths, 1.0, TestSeed(14));
  c.lengths = {1, 128, 77};
  const at::Tensor map = MeanAttentionMap(AsTensor(c.q, kShape), AsTensor(c.k, kShape), Padding(c));
  const AttentionTolerance tolerance{.max_score = c.MaxScore(), .terms = kShape.length};
  EXPECT_LE(NormError(Floats(map), reference::MeanAttentionMap(OracleInput(
                                       c, {DiagonalOnly(4, kBlock)}, PrunedScore::kZero))),
            tolerance.forward());
  EXPECT_NEAR(map.sum().item<double>(), kShape.length, 1e-3);
}

}  // namespace
}  // namespace spion
