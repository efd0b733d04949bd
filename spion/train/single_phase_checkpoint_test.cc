// Checkpoints of a method with one phase: checkpoint_test has SPION's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "spion/nn/classifier.h"
#include "spion/testing/pattern_zoo.h"
#include "spion/train/checkpoint.h"
#include "spion/train/model_patterns.h"
#include "spion/train/within_pattern.h"

namespace spion {
namespace {

using ::testing::HasSubstr;

constexpr ModelConfig kConfig{.vocabulary = 7, .classes = 3, .length = 64, .layers = 2};

SequenceClassifier WithinPatternModel(const BlockPattern& pattern) {
  return {kConfig, at::kCPU,
          [=](const AttentionContext&) { return std::make_unique<WithinPattern>(pattern); }};
}

TEST(SinglePhaseCheckpointTest, HasThePatternsThatTheMethodFixes) {
  const SequenceClassifier trained = WithinPatternModel(Banded(4, 16, 1));
  CheckpointInfo info;
  info.method = "longformer";
  info.phase = Phase::kSingle;
  info.patterns = CurrentPatterns(trained);
  const std::string path = ::testing::TempDir() + "/single.safetensors";
  ASSERT_TRUE(SaveCheckpoint(path, TakeCheckpoint(info, trained)).ok());
  const absl::StatusOr<Checkpoint> loaded = LoadCheckpoint(path);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->info.phase, Phase::kSingle);
  EXPECT_EQ(loaded->info.patterns.size(), 2u);
  SequenceClassifier same = WithinPatternModel(Banded(4, 16, 1));
  EXPECT_TRUE(Restore(*loaded, same).ok());
  SequenceClassifier other = WithinPatternModel(LongColumns(4, 16));
  EXPECT_THAT(std::string(Restore(*loaded, other).message()), HasSubstr("within other patterns"));
}

}  // namespace
}  // namespace spion
