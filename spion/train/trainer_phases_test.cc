// What the whole loop does at the transition: learning rate, best models, patterns.
#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "spion/base/random.h"
#include "spion/train/heard_training.h"
#include "spion/train/model_patterns.h"
#include "spion/train/small_training.h"

namespace spion {
namespace {

using ::testing::Contains;

// A training of 30 steps, 5 of them warm-up, that is sparse from step 11 on. The rate of a step
// counted from 0, by its line from corner to corner.
double Rate(int step) {
  constexpr double kPeak = 1e-3;
  constexpr double kStart = kPeak / 25;
  constexpr double kEnd = kPeak / 25e4;
  return step <= 4 ? kStart + (kPeak - kStart) * step / 4
                   : kPeak + (kEnd - kPeak) * (step - 4) / 25;
}

TEST(LearningRateTest, StartsAnewAtTheTransitionUnlessItIsToGoOn) {
  for (const auto& [kind, is_continued] :
       {std::pair(PatternKind::kCF, false), {PatternKind::kCF, true}, {PatternKind::kF, false}}) {
    Experiment experiment = SmallSpionExperiment();
    experiment.method.pattern_kind = kind;
    experiment.hyper_parameters.dense_step_limit = 10;
    experiment.hyper_parameters.continued_schedule = is_continued;
    Heard heard;
    ASSERT_EQ(TrainSmall(experiment, heard)->transition_step, 10);
    ASSERT_EQ(heard.reports.size(), 30u);
    for (int step = 0; step < 30; ++step) {
      EXPECT_NEAR(heard.reports[step].learning_rate,
                  Rate(!is_continued && step >= 10 ? step - 10 : step), 1e-15)
          << step << " of " << PatternKindName(kind);
    }
  }
}

// Adam's first step moves each weight that has a gradient by the rate.
TEST(LearningRateTest, IsThatOfTheStepThatIsTaken) {
  const Experiment experiment = SmallDenseExperiment(Precision::kFloat32);
  const TaskData data = SmallData();
  const SequenceClassifier before = MakeModel(experiment, kSmallShape, at::kCPU);
  SequenceClassifier model = MakeModel(experiment, kSmallShape, at::kCPU);
  Heard heard;
  ASSERT_TRUE(
      Train(experiment, data, model, heard, {.stop_requested = [] { return true; }})->interrupted);
  const at::Tensor moved = model.parameters().items().back().value.detach() -
                           before.parameters().items().back().value.detach();
  EXPECT_NEAR(moved.abs().max().item<double>(), Rate(0), 1e-7);
}

// However good the dense phase was: its model is not the one to test.
TEST(BestTest, TheSparsePhaseHasOneOfItsOwn) {
  Experiment experiment = SmallSpionExperiment();
  HyperParameters& h = experiment.hyper_parameters;
  h.steps = 60;
  h.dense_step_limit = 50;
  h.transition_limit_percent = 0;
  h.evaluation_interval = 20;
  Heard heard;
  const TrainingResult result = TrainSmall(experiment, heard).value();
  EXPECT_EQ(result.transition_step, 50);
  EXPECT_FALSE(result.settled);  // by the limit of steps
  EXPECT_THAT(heard.events, Contains("best 20"));
  EXPECT_EQ(result.best.phase, Phase::kSparse);
  EXPECT_EQ(result.best.step, 60);
}

TEST(BestTest, ATransitionInTheLastStepLeavesTheDenseOneToTest) {
  Experiment experiment = SmallSpionExperiment();
  HyperParameters& h = experiment.hyper_parameters;
  h.dense_step_limit = h.steps;
  h.transition_limit_percent = 0;
  Heard heard;
  const TrainingResult result = TrainSmall(experiment, heard).value();
  EXPECT_EQ(result.transition_step, 30);
  EXPECT_EQ(result.best.phase, Phase::kDense);
  EXPECT_EQ(result.best.step, 30);
}

// SPION-C in two layers of four blocks a side, sparse from step 10 on.
TEST(PhasesTest, GoByTheExperimentsSettings) {
  constexpr TaskShape kShape{.sequence_length = 64, .vocabulary = 8, .classes = 2};
  TaskData data(kShape);
  Random random(1);
  for (Split* split : {&data.train, &data.dev}) {
    for (int example = 0; example < 8; ++example) {
      std::vector<uint8_t> ids(kShape.sequence_length);
      for (uint8_t& id : ids) id = static_cast<uint8_t>(random.Below(8));
      split->AddExample({ids}, example % 2);
    }
  }
  Experiment experiment = SmallSpionExperiment();
  experiment.method.pattern_kind = PatternKind::kC;
  HyperParameters& h = experiment.hyper_parameters;
  h.layers = 2;
  h.steps = 10;
  h.dense_step_limit = 10;
  const auto train = [&](SequenceClassifier& model) {
    Heard heard;
    return Train(experiment, data, model, heard).value();
  };
  for (const auto& [density, kept] : {std::pair(0.25, 4), {0.5, 4}, {0.6, 5}, {1.0, 12}}) {
    h.density = density;
    SequenceClassifier model = MakeModel(experiment, kShape, at::kCPU);
    for (const BlockPattern& pattern : train(model).patterns) {
      // So many of the highest, diagonal or not, and the diagonal.
      EXPECT_GE(pattern.kept_blocks(), std::max(4, kept));
      EXPECT_LE(pattern.kept_blocks(), 4 + kept);
    }
  }
  h.density = 0.6;
  for (const bool is_set : {false, true}) {
    h.shared_pattern = is_set;
    h.excluded_pruned = is_set;
    SequenceClassifier model = MakeModel(experiment, kShape, at::kCPU);
    const TrainingResult result = train(model);
    ASSERT_EQ(result.patterns.size(), 2u);
    EXPECT_EQ(result.patterns[0] == result.patterns[1], is_set);
    for (const SpionAttention* layer : SpionLayers(model)) {
      EXPECT_EQ(layer->pruned_score(), is_set ? PrunedScore::kExcluded : PrunedScore::kZero);
    }
  }
}

TEST(PhasesTest, TheTransitionsReasonIsTold) {
  Experiment experiment = SmallSpionExperiment();
  experiment.hyper_parameters.capture_interval = 5;
  experiment.hyper_parameters.transition_limit_percent = 100;
  Heard heard;
  const TrainingResult result = TrainSmall(experiment, heard).value();
  EXPECT_EQ(result.transition_step, 15);  // the first capture with a change
  EXPECT_TRUE(result.settled);
}

}  // namespace
}  // namespace spion
