// The operators as LibTorch sees them: values against the oracle, autograd, layouts and bad input.
#include "spion/ops/block_sparse_attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "spion/ops/attention_map.h"
#include "spion/reference/attention.h"
#include "spion/testing/attention_case.h"
#include "spion/testing/pattern_zoo.h"
#include "spion/testing/seed.h"
#include "spion/testing/tolerance.h"

namespace spion {
namespace {

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

TEST_F(BadInputTest, UnsupportedHeadDimensionIsNamed) {
  const at::Tensor q = q_.slice(3, 0, 24).contiguous();
  EXPECT_THAT(
      MessageOf([&] { BlockSparseAttention(q, q, q, pattern_, std::nullopt, PrunedScore::kZero); }),
      HasSubstr("24"));
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
