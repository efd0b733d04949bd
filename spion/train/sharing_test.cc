#include "spion/train/sharing.h"

#include <ATen/Context.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <vector>

#include "spion/collective/rank_threads.h"
#include "spion/testing/pattern_zoo.h"
#include "spion/train/model_patterns.h"
#include "spion/train/within_pattern.h"

namespace spion {
namespace {

using ::testing::ElementsAre;

constexpr ModelConfig kConfig{.vocabulary = 7, .classes = 3, .length = 64, .layers = 2};

std::unique_ptr<Attention> MakeSpion(const AttentionContext& context) {
  return std::make_unique<SpionAttention>(context.layer, context.length, at::kCPU,
                                          PrunedScore::kZero);
}

// Each rank's of its own weights, drawn from the one generator of all threads.
std::unique_ptr<SequenceClassifier> ModelOf(int rank,
                                            const AttentionFactory& make_attention = MakeSpion) {
  static std::mutex drawing;
  const std::lock_guard<std::mutex> lock(drawing);
  at::manual_seed(1 + rank);
  return std::make_unique<SequenceClassifier>(kConfig, at::kCPU, make_attention);
}

void ExpectSameWeights(const SequenceClassifier& found, const SequenceClassifier& expected) {
  for (size_t i = 0; i < expected.parameters().items().size(); ++i) {
    const NamedTensor& weight = expected.parameters().items()[i];
    EXPECT_TRUE(found.parameters().items()[i].value.equal(weight.value)) << weight.name;
  }
}

TEST(ShareModelTest, AllRanksHaveRankZerosWeightsAndPatterns) {
  const std::unique_ptr<SequenceClassifier> expected = ModelOf(0);
  for (const bool is_sparse : {false, true}) {
    RunRanks(3, [&](Group& group) {
      const std::unique_ptr<SequenceClassifier> model = ModelOf(group.rank());
      if (is_sparse && group.leads()) {
        SpionLayers(*model)[0]->SetPattern(Banded(4, 16, 1));
        SpionLayers(*model)[1]->SetPattern(LongColumns(4, 16));
      }
      const absl::Status shared = ShareModel(*model, group);
      EXPECT_TRUE(shared.ok()) << shared;
      ExpectSameWeights(*model, *expected);
      const std::vector<BlockPattern> patterns = CurrentPatterns(*model);
      if (is_sparse) {
        EXPECT_THAT(patterns, ElementsAre(Banded(4, 16, 1), LongColumns(4, 16)));
      } else {
        EXPECT_TRUE(patterns.empty());
      }
    });
  }
}

TEST(ShareModelTest, PatternsThatAMethodFixesAreNotHandedOut) {
  const AttentionFactory make_attention = [](const AttentionContext&) {
    return std::make_unique<WithinPattern>(Banded(4, 16, 1));
  };
  const std::unique_ptr<SequenceClassifier> expected = ModelOf(0, make_attention);
  RunRanks(3, [&](Group& group) {
    const std::unique_ptr<SequenceClassifier> model = ModelOf(group.rank(), make_attention);
    const absl::Status shared = ShareModel(*model, group);
    EXPECT_TRUE(shared.ok()) << shared;
    ExpectSameWeights(*model, *expected);
    EXPECT_THAT(CurrentPatterns(*model), ElementsAre(Banded(4, 16, 1), Banded(4, 16, 1)));
  });
}

TEST(ShareStateTest, AllRanksHaveRankZerosState) {
  RunRanks(3, [](Group& group) {
    TrainingState state;
    state.PutValue("step", group.rank() + 7);
    if (group.leads()) {
      state.Put("floats", at::full({2, 3}, 0.1F));
      state.Put("order", at::arange(5));
      state.Put("bytes", at::full({4}, 200, at::kByte));
      state.Put("none", at::empty({0, 3}));
    }
    const TrainingState shared = ShareState(state, group);
    EXPECT_EQ(shared.Value<int64_t>("step").value(), 7);
    EXPECT_TRUE(shared.Get("floats", at::kFloat)->equal(at::full({2, 3}, 0.1F)));
    EXPECT_TRUE(shared.Get("order", at::kLong)->equal(at::arange(5)));
    EXPECT_TRUE(shared.Get("bytes", at::kByte)->equal(at::full({4}, 200, at::kByte)));
    EXPECT_EQ(shared.Get("none", at::kFloat)->sizes(), at::IntArrayRef({0, 3}));
  });
}

}  // namespace
}  // namespace spion
