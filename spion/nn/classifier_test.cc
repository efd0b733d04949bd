#include "spion/nn/classifier.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

#include "spion/nn/fused_dense_attention.h"
#include "spion/nn/spion_attention.h"
#include "spion/ops/attention_map.h"
#include "spion/testing/pattern_zoo.h"

namespace spion {
namespace {

constexpr ModelConfig kConfig{.vocabulary = 11, .classes = 5, .length = 64, .layers = 2};

std::unique_ptr<Attention> Dense(const AttentionContext&) {
  return std::make_unique<FusedDenseAttention>();
}

std::unique_ptr<Attention> Spion(const AttentionContext& context) {
  return std::make_unique<SpionAttention>(context.layer, context.length, at::kCPU,
                                          PrunedScore::kExcluded);
}

SequenceClassifier Model(const ModelConfig& config, const AttentionFactory& factory) {
  at::manual_seed(5);
  return {config, at::kCPU, factory};
}

at::Tensor Ids(int64_t batch, int64_t sequences = 1) {
  at::manual_seed(6);
  return at::randint(1, kConfig.vocabulary, {batch, sequences, kConfig.length}, at::kLong);
}

bool Near(const at::Tensor& a, const at::Tensor& b) {
  return a.sub(b).abs().max().item<double>() <= 1e-5;
}

TEST(SequenceClassifierTest, GivesLogitsAndAGradientForEveryParameter) {
  const SequenceClassifier model = Model(kConfig, Dense);
  const at::Tensor logits = model.Forward(Ids(3), std::nullopt, /*training=*/true);
  EXPECT_EQ(logits.sizes(), at::IntArrayRef({3, 5}));
  logits.sum().backward();
  std::set<std::string> names;
  for (const NamedTensor& parameter : model.parameters().items()) {
    EXPECT_TRUE(parameter.value.grad().defined()) << parameter.name;
    EXPECT_TRUE(names.insert(parameter.name).second) << parameter.name;
  }
}

TEST(SequenceClassifierTest, HasTheWeightsOfTheDescription) {
  // Embeddings 11 * 64 + 64 * 64; a layer: two norms, 64 -> 192, 64 -> 64, 64 -> 128 -> 64;
  // final norm; classifier 64 -> 128 -> 5.
  const int64_t layer = 2 * 128 + (64 + 1) * 192 + (64 + 1) * 64 + (64 + 1) * 128 + (128 + 1) * 64;
  EXPECT_EQ(Model(kConfig, Dense).parameters().element_count(),
            11 * 64 + 64 * 64 + 2 * layer + 128 + (64 + 1) * 128 + (128 + 1) * 5);
}

TEST(SequenceClassifierTest, DropoutOnlyWhileTraining) {
  ModelConfig config = kConfig;
  config.dropout = 0.1;
  const SequenceClassifier model = Model(config, Dense);
  const at::Tensor ids = Ids(2);
  EXPECT_TRUE(
      model.Forward(ids, std::nullopt, false).equal(model.Forward(ids, std::nullopt, false)));
  EXPECT_FALSE(
      model.Forward(ids, std::nullopt, true).equal(model.Forward(ids, std::nullopt, true)));
}

TEST(SequenceClassifierTest, PaddedIdsDoNotMatter) {
  const SequenceClassifier model = Model(kConfig, Dense);
  const at::Tensor lengths = at::tensor({10, 64}, at::kInt);
  at::Tensor ids = Ids(2);
  const at::Tensor before = model.Forward(ids, lengths, false);
  ids.slice(2, 10).select(0, 0).fill_(3);
  const at::Tensor after = model.Forward(ids, lengths, false);
  EXPECT_TRUE(Near(before, after));
  ids.slice(2, 0, 10).fill_(3);
  EXPECT_FALSE(Near(before, model.Forward(ids, lengths, false)));
}

TEST(SequenceClassifierTest, TwoSequencesAreEncodedAlikeAndCompared) {
  ModelConfig config = kConfig;
  config.sequences = 2;
  const SequenceClassifier model = Model(config, Dense);
  const at::Tensor ids = Ids(3, 2);
  EXPECT_EQ(model.Forward(ids, std::nullopt, false).sizes(), at::IntArrayRef({3, 5}));
  EXPECT_FALSE(Near(model.Forward(ids, std::nullopt, false),
                    model.Forward(ids.flip(1), std::nullopt, false)));
}

TEST(SequenceClassifierTest, RefusesIdsOfAnotherShape) {
  const SequenceClassifier model = Model(kConfig, Dense);
  EXPECT_THROW(model.Forward(Ids(2).slice(2, 0, 32), std::nullopt, false), c10::Error);
}

TEST(SequenceClassifierTest, RefusesAResultOfAnotherShape) {
  class LengthBeforeHeads : public Attention {
    at::Tensor Forward(const at::Tensor&, const at::Tensor&, const at::Tensor& v,
                       const Lengths&) override {
      return v.transpose(1, 2);
    }
  };
  const SequenceClassifier model =
      Model(kConfig, [](const AttentionContext&) { return std::make_unique<LengthBeforeHeads>(); });
  try {
    model.Forward(Ids(3), std::nullopt, false);
    FAIL() << "it was taken";
  } catch (const c10::Error& error) {
    EXPECT_THAT(
        error.what_without_backtrace(),
        testing::StartsWith("the attention returned [3, 64, 2, 32]; expected [3, 2, 64, 32]"));
  }
}

TEST(SpionAttentionTest, DenseThenSparseUnderAllBlocksIsTheSameFunction) {
  // With every block kept and pruned scores excluded, the sparse phase computes what the dense
  // does.
  const SequenceClassifier model = Model(kConfig, Spion);
  const at::Tensor ids = Ids(2);
  const at::Tensor lengths = at::tensor({40, 64}, at::kInt);
  const at::Tensor dense = model.Forward(ids, lengths, false);
  for (Attention* attention : model.attentions()) {
    static_cast<SpionAttention*>(attention)->SetPattern(AllBlocks(4, 16));
  }
  EXPECT_TRUE(Near(dense, model.Forward(ids, lengths, false)));
  for (Attention* attention : model.attentions()) {
    static_cast<SpionAttention*>(attention)->SetPattern(DiagonalOnly(4, 16));
  }
  EXPECT_FALSE(Near(dense, model.Forward(ids, lengths, false)));
}

TEST(SpionAttentionTest, CapturesOneMapWhenAsked) {
  SpionAttention attention(/*layer=*/0, 64, at::kCPU, PrunedScore::kZero);
  at::manual_seed(8);
  const at::Tensor q = at::randn({2, 2, 64, 32});
  const at::Tensor k = at::randn({2, 2, 64, 32});
  attention.Forward(q, k, q, std::nullopt);
  EXPECT_THROW(attention.TakeMap(), c10::Error);
  attention.RequestMap();
  attention.Forward(q, k, q, std::nullopt);
  EXPECT_TRUE(attention.TakeMap().equal(MeanAttentionMap(q, k, std::nullopt)));
  EXPECT_THROW(attention.TakeMap(), c10::Error);
}

// By loops over pairs, in double.
double PrunedShareByLoops(const at::Tensor& q, const at::Tensor& k, const BlockPattern& pattern,
                          const std::vector<int64_t>& lengths) {
  const at::Tensor weights = (q.matmul(k.transpose(2, 3)) / std::sqrt(q.size(3))).exp();
  const auto weight = weights.to(at::kDouble);
  const auto at = weight.accessor<double, 4>();
  double sum = 0;
  int64_t rows = 0;
  for (int64_t b = 0; b < q.size(0); ++b) {
    for (int64_t h = 0; h < q.size(1); ++h) {
      for (int64_t row = 0; row < lengths[b]; ++row, ++rows) {
        double kept = 0;
        double pruned = static_cast<double>(q.size(2));
        for (const int column :
             pattern.columns_of_row(static_cast<int>(row) / pattern.block_size())) {
          for (int64_t c = 0; c < pattern.block_size(); ++c) {
            const int64_t key = column * pattern.block_size() + c;
            if (key < lengths[b]) kept += at[b][h][row][key];
            pruned -= 1;
          }
        }
        sum += pruned / (kept + pruned);
      }
    }
  }
  return sum / static_cast<double>(rows);
}

TEST(SpionAttentionTest, TellsTheShareOfPrunedEntriesWhenAsked) {
  SpionAttention attention(/*layer=*/0, 64, at::kCPU, PrunedScore::kZero);
  EXPECT_THROW(attention.RequestPrunedShare(), c10::Error);  // dense
  at::manual_seed(9);
  const at::Tensor q = at::randn({2, 2, 64, 32});
  const at::Tensor k = at::randn({2, 2, 64, 32});
  const BlockPattern pattern = LongColumns(4, 16);
  attention.SetPattern(pattern);
  EXPECT_THROW(attention.TakePrunedShare(), c10::Error);
  const at::Tensor without = attention.Forward(q, k, q, std::nullopt);
  attention.RequestPrunedShare();
  EXPECT_TRUE(attention.Forward(q, k, q, std::nullopt).equal(without));
  EXPECT_NEAR(attention.TakePrunedShare().item<double>(),
              PrunedShareByLoops(q, k, pattern, {64, 64}), 1e-6);
  EXPECT_THROW(attention.TakePrunedShare(), c10::Error);
  // Padded keys of kept blocks weigh nothing, and padded rows do not count.
  attention.RequestPrunedShare();
  attention.Forward(q, k, q, at::tensor({40, 20}, at::kInt));
  EXPECT_NEAR(attention.TakePrunedShare().item<double>(),
              PrunedShareByLoops(q, k, pattern, {40, 20}), 1e-6);
  attention.set_pruned_score(PrunedScore::kExcluded);
  EXPECT_THROW(attention.RequestPrunedShare(), c10::Error);
}

TEST(SpionAttentionTest, RefusesAPatternOfAnotherLengthAndMapsInTheSparsePhase) {
  SpionAttention attention(/*layer=*/0, 64, at::kCPU, PrunedScore::kZero);
  EXPECT_THROW(attention.SetPattern(DiagonalOnly(4, 32)), c10::Error);
  attention.SetPattern(DiagonalOnly(4, 16));
  EXPECT_THROW(attention.RequestMap(), c10::Error);
}

}  // namespace
}  // namespace spion
