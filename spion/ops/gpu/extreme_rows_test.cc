// Rows that ordinary data does not have: huge scores, nothing valid, nothing kept.
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "spion/ops/block_sparse_attention.h"
#include "spion/ops/gpu/error_rule.h"
#include "spion/ops/gpu/framework_attention.h"
#include "spion/ops/gpu/gpu.h"
#include "spion/ops/gpu/precision_case.h"
#include "spion/testing/pattern_zoo.h"
#include "spion/testing/seed.h"

namespace spion {
namespace {

using ExtremeParam = std::tuple<TestPrecision, PrunedScore>;

constexpr int kBlock = 32;
constexpr int kBlocks = 6;
constexpr AttentionShape kShape{.batch = 3, .heads = 2, .length = 192, .head_dim = 32};

class ExtremeRowsTest : public ::testing::TestWithParam<ExtremeParam> {
 protected:
  static PrecisionCase Case(CasePadding padding, double deviation, const BlockPattern& pattern) {
    const auto [precision, pruned] = GetParam();
    return MakePrecisionCase(precision, kShape, padding, deviation, TestSeed(31), {pattern},
                             pruned);
  }
};

void ExpectRule(const PrecisionCase& c, Scores scores = Scores::kOrdinary) {
  ExpectAsAccurateAsFramework(c, RunOperator(c, Gpu()), RunFramework(c, Gpu()), RunOracle(c),
                              scores);
}

void ExpectAllZero(const char* name, const at::Tensor& tensor) {
  EXPECT_TRUE(tensor.eq(0).all().item<bool>()) << name;
}

TEST_P(ExtremeRowsTest, HugeScoresOfBothSigns) {
  // Deviation 50 gives scores of deviation 2,500, up to some 10,000.
  for (const CasePadding padding : {CasePadding::kNone, CasePadding::kMask}) {
    ExpectRule(Case(padding, 50, Banded(kBlocks, kBlock, 1)), Scores::kHuge);
  }
}

TEST_P(ExtremeRowsTest, AllScoresHugeAndNegative) {
  // Against a maximum of 0 that no score has, every exponential would underflow.
  PrecisionCase c = Case(CasePadding::kNone, 1, AllBlocks(kBlocks, kBlock));
  for (int64_t row = 0; row < kShape.elements(); row += kShape.head_dim) {
    c.inputs.q[row] = 512;
    c.inputs.k[row] = -3;
  }
  ExpectRule(c, Scores::kHuge);
}

TEST_P(ExtremeRowsTest, EqualScores) {
  PrecisionCase c = Case(CasePadding::kNone, 1, FullAndBareRows(kBlocks, kBlock));
  std::fill(c.inputs.q.begin(), c.inputs.q.end(), 0.0F);
  ExpectRule(c);
}

TEST_P(ExtremeRowsTest, LengthsOfZeroOneAndABlock) {
  PrecisionCase c = Case(CasePadding::kLengths, 1, LongColumns(kBlocks, kBlock));
  c.inputs.lengths = {0, static_cast<int32_t>(kShape.length), kBlock};
  ExpectRule(c);
  c.inputs.lengths = {1, kBlock - 1, kBlock + 1};
  ExpectRule(c);
  const AttentionResult result = RunOperator(c, Gpu());
  ExpectAllZero("grad_v of padded keys", result.grad_v[0].slice(1, 1));
  ExpectAllZero("grad_k of padded keys", result.grad_k[0].slice(1, 1));
}

TEST_P(ExtremeRowsTest, LengthBeyondTheSequenceIsTheWholeSequence) {
  PrecisionCase c = Case(CasePadding::kLengths, 1, Banded(kBlocks, kBlock, 1));
  const auto length = static_cast<int32_t>(kShape.length);
  c.inputs.lengths = {length, length, length};
  const AttentionResult whole = RunOperator(c, Gpu());
  c.inputs.lengths = {length + 7, length, 1 << 30};
  EXPECT_TRUE(SameBits(RunOperator(c, Gpu()), whole));
}

TEST_P(ExtremeRowsTest, WhollyPaddedExamplesGiveZeros) {
  for (const CasePadding padding : {CasePadding::kLengths, CasePadding::kMask}) {
    for (const NamedPattern& named : PatternZoo(kBlocks, kBlock, 3)) {
      SCOPED_TRACE(named.name);
      PrecisionCase c = Case(padding, 1, named.pattern);
      std::fill(c.inputs.lengths.begin(), c.inputs.lengths.end(), 0);
      std::fill(c.inputs.valid.begin(), c.inputs.valid.end(), uint8_t{0});
      const AttentionResult result = RunOperator(c, Gpu());
      ExpectAllZero("out", result.out);
      ExpectAllZero("grad_q", result.grad_q);
      ExpectAllZero("grad_k", result.grad_k);
      ExpectAllZero("grad_v", result.grad_v);
    }
  }
}

// ---- Block rows and columns that keep nothing, not even the diagonal ----

// A BlockPattern always keeps its diagonal, the operator's arguments need not.

/// `lines` without line `hole` and without `hole` as an index: on the host.
BlockLines WithoutLine(const BlockLines& lines, int hole) {
  BlockLines result = {.offsets = {0}, .indices = {}};
  for (int line = 0; line + 1 < static_cast<int>(lines.offsets.size()); ++line) {
    for (int32_t i = lines.offsets[line]; i < lines.offsets[line + 1]; ++i) {
      if (line != hole && lines.indices[i] != hole) result.indices.push_back(lines.indices[i]);
    }
    result.offsets.push_back(static_cast<int32_t>(result.indices.size()));
  }
  return result;
}

/// The pattern's tensors without block row and block column `hole`.
PatternTensors WithHole(const BlockPattern& pattern, int hole, c10::Device device) {
  const BlockLines rows = WithoutLine(pattern.rows(), hole);
  const BlockLines columns = WithoutLine(pattern.columns(), hole);
  return ToTensors(absl::MakeConstSpan(&rows, 1), absl::MakeConstSpan(&columns, 1),
                   pattern.block_size(), device);
}

/// Calls body(offset of a row of a [B, H, L, d] array, example, row) for every row in block `hole`.
template <class Body>
void ForHoleRows(int hole, const Body& body) {
  for (int64_t head = 0; head < kShape.batch * kShape.heads; ++head) {
    for (int64_t row = hole * kBlock; row < (hole + 1) * kBlock; ++row) {
      body((head * kShape.length + row) * kShape.head_dim, head / kShape.heads, row);
    }
  }
}

TEST_P(ExtremeRowsTest, BlockRowAndColumnThatKeepNothing) {
  for (const int hole : {0, 2, kBlocks - 1}) {
    SCOPED_TRACE(absl::StrCat("block row and column ", hole));
    const PrecisionCase c = Case(CasePadding::kNone, 1, RandomBlocks(kBlocks, kBlock, 0.4, 9));
    const CaseTensors tensors = ToTensors(c, Gpu());
    const PatternTensors pattern = WithHole(c.patterns[0], hole, Gpu());
    const AttentionResult ours = ForwardAndBackward(
        [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
          return BlockSparseAttention(q, k, v, pattern, std::nullopt, c.pruned,
                                      Float32MathOf(c.precision));
        },
        tensors);
    for (const at::Tensor& tensor : {ours.out, ours.grad_q, ours.grad_k, ours.grad_v}) {
      ExpectAllZero("the hole", tensor.slice(2, hole * kBlock, (hole + 1) * kBlock));
    }

    // The same by means that the oracle has: queries of the hole get no gradient, and its keys are
    // padding (excluded) or have score 0 and value 0 (pruned as zero).
    PrecisionCase equal = c;
    if (c.pruned == PrunedScore::kExcluded) {
      equal.inputs.valid.assign(kShape.batch * kShape.length, 1);
    }
    ForHoleRows(hole, [&](int64_t offset, int64_t batch, int64_t row) {
      for (int64_t i = offset; i < offset + kShape.head_dim; ++i) {
        equal.inputs.grad_out[i] = 0;
        if (c.pruned == PrunedScore::kZero) equal.inputs.k[i] = equal.inputs.v[i] = 0;
      }
      if (c.pruned == PrunedScore::kExcluded) equal.inputs.valid[batch * kShape.length + row] = 0;
    });
    AttentionTruth truth = RunOracle(equal);
    AttentionResult framework = RunFramework(equal, Gpu());
    // What the oracle has in the hole is of queries and keys that the pattern does not have.
    ForHoleRows(hole, [&](int64_t offset, int64_t, int64_t) {
      for (std::vector<double>* values :
           {&truth.out, &truth.grad_q, &truth.grad_k, &truth.grad_v}) {
        std::fill_n(values->begin() + offset, kShape.head_dim, 0.0);
      }
    });
    for (at::Tensor* tensor :
         {&framework.out, &framework.grad_q, &framework.grad_k, &framework.grad_v}) {
      tensor->slice(2, hole * kBlock, (hole + 1) * kBlock).zero_();
    }
    ExpectAsAccurateAsFramework(c, ours, framework, truth);
  }
}

TEST_P(ExtremeRowsTest, PatternThatKeepsNothingGivesZeros) {
  const PrecisionCase c = Case(CasePadding::kNone, 1, DiagonalOnly(kBlocks, kBlock));
  const BlockLines nothing = {.offsets = std::vector<int32_t>(kBlocks + 1, 0), .indices = {}};
  const PatternTensors pattern =
      ToTensors(absl::MakeConstSpan(&nothing, 1), absl::MakeConstSpan(&nothing, 1), kBlock, Gpu());
  const AttentionResult result = ForwardAndBackward(
      [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
        return BlockSparseAttention(q, k, v, pattern, std::nullopt, c.pruned,
                                    Float32MathOf(c.precision));
      },
      ToTensors(c, Gpu()));
  for (const at::Tensor& tensor : {result.out, result.grad_q, result.grad_k, result.grad_v}) {
    ExpectAllZero("no block kept", tensor);
  }
}

INSTANTIATE_TEST_SUITE_P(All, ExtremeRowsTest,
                         ::testing::Combine(::testing::ValuesIn(kPrecisions),
                                            ::testing::Values(PrunedScore::kZero,
                                                              PrunedScore::kExcluded)),
                         [](const auto& info) {
                           return absl::StrCat(Name(std::get<0>(info.param)),
                                               Name(std::get<1>(info.param)));
                         });

}  // namespace
}  // namespace spion
