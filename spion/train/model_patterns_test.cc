#include "spion/train/model_patterns.h"

#include <ATen/Context.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "spion/testing/pattern_zoo.h"

namespace spion {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

SequenceClassifier SpionModel() {
  at::manual_seed(1);
  const ModelConfig config{.vocabulary = 7, .classes = 3, .length = 64, .layers = 2};
  return {config, at::kCPU, [](const AttentionContext& context) {
            return std::make_unique<SpionAttention>(context.layer, context.length, at::kCPU,
                                                    PrunedScore::kZero);
          }};
}

TEST(ModelPatternsTest, LayersHaveWhatTheyWereGivenInTheirOrder) {
  SequenceClassifier model = SpionModel();
  EXPECT_THAT(SpionLayers(model), SizeIs(2));
  EXPECT_THAT(CurrentPatterns(model), IsEmpty());
  const std::vector<BlockPattern> patterns = {Banded(4, 16, 1), LongColumns(4, 16)};
  ASSERT_TRUE(SetPatterns(patterns, model).ok());
  EXPECT_EQ(CurrentPatterns(model), patterns);
  EXPECT_EQ(*SpionLayers(model)[1]->pattern(), patterns[1]);
}

TEST(ModelPatternsTest, RefusesWhatDoesNotFit) {
  SequenceClassifier model = SpionModel();
  const auto error = [&](const std::vector<BlockPattern>& patterns) {
    return std::string(SetPatterns(patterns, model).message());
  };
  EXPECT_THAT(error({Banded(4, 16, 1)}), HasSubstr("1 patterns for 2 layers"));
  EXPECT_THAT(error({Banded(4, 16, 1), Banded(2, 16, 1)}), HasSubstr("pattern of layer 1"));
  EXPECT_THAT(error({Banded(8, 8, 1), Banded(4, 16, 1)}), HasSubstr("a multiple of 16"));
}

}  // namespace
}  // namespace spion
