// A training that stops, or whose process is lost, and goes on from its last state ends with the
// bits of one that was left in peace.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/rand_like.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "spion/collective/group.h"
#include "spion/nn/attention.h"
#include "spion/platform/recorder.h"
#include "spion/train/small_training.h"
#include "spion/train/trainer.h"
#include "spion/train/training_state.h"

namespace spion {
namespace {

// Keeps what is handed out, and what logs would say.
class Kept : public TrainingEvents {
 public:
  absl::Status OnBlockStart(const TrainingPosition& at) override { return Say("block", at); }
  absl::Status OnReport(const TrainingPosition& at, const TrainingReport& report) override {
    return Say(
        absl::StrCat("report ", report.loss, " ", report.accuracy, " ", report.learning_rate), at);
  }
  absl::Status OnBlockEnd(const TrainingPosition& at) override { return Say("end of block", at); }
  absl::Status OnEvaluation(const TrainingPosition& at, const Evaluation& dev) override {
    return Say(absl::StrCat("dev ", dev.loss, " ", dev.accuracy), at);
  }
  absl::Status OnCapture(const TrainingPosition& at, const Capture& capture) override {
    return Say(absl::StrCat("capture ", capture.index, " ",
                            capture.distance.empty() ? 0 : capture.distance[0], " ",
                            capture.change_percent.empty() ? 0 : capture.change_percent[0]),
               at);
  }
  absl::Status OnModel(SavedModel which, const Checkpoint& checkpoint) override {
    models.insert_or_assign(which, checkpoint);
    return absl::OkStatus();
  }
  void OnMark() override { marked = said.size(); }
  absl::Status OnState(const TrainingPosition& /*at*/, StateReason reason,
                       TrainingState& saved) override {
    if (reason == StateReason::kError && is_killed) return absl::OkStatus();
    // By way of a file, as a process would have it.
    const std::string path = absl::StrCat(::testing::TempDir(), "/kept_state");
    EXPECT_TRUE(SaveState(path, saved).ok());
    state = LoadState(path).value();
    reasons.push_back(reason);
    said_at_state = {said.begin(), said.begin() + static_cast<int64_t>(marked)};
    return absl::OkStatus();
  }

  std::map<SavedModel, Checkpoint> models;
  std::vector<std::string> said;
  size_t marked = 0;
  std::optional<TrainingState> state;
  std::vector<std::string> said_at_state;
  std::vector<StateReason> reasons;
  bool is_killed = false;  // by SIGKILL: there is no time for a last state

 private:
  absl::Status Say(const std::string& what, const TrainingPosition& at) {
    said.push_back(absl::StrCat(at.step, " ", PhaseName(at.phase), ": ", what));
    return absl::OkStatus();
  }
};

// Two layers of captures, a transition in the middle, dropout in every step.
Experiment TestExperiment() {
  Experiment experiment = SmallSpionExperiment();
  HyperParameters& h = experiment.hyper_parameters;
  h.steps = 26;
  h.capture_interval = 4;
  h.dense_step_limit = 16;
  h.transition_limit_percent = 0;
  h.evaluation_interval = 5;
  h.learning_rate = 1e-2;
  return experiment;
}

TrainingResult TrainOnce(const Experiment& experiment, Kept& kept, const TrainingOptions& options) {
  at::set_num_threads(1);  // of so little work more would only wait for each other
  const TaskData data = SmallData();
  SequenceClassifier model = MakeModel(experiment, kSmallShape, at::kCPU);
  return Train(experiment, data, model, kept, options).value();
}

void ExpectSame(const Kept& kept, const TrainingResult& result, const Kept& undisturbed,
                const TrainingResult& expected, const std::string& what) {
  EXPECT_EQ(kept.said, undisturbed.said) << what;
  EXPECT_EQ(result.steps, expected.steps) << what;
  EXPECT_EQ(result.transition_step, expected.transition_step) << what;
  EXPECT_EQ(result.settled, expected.settled) << what;
  EXPECT_EQ(result.patterns, expected.patterns) << what;
  EXPECT_EQ(result.best.step, expected.best.step) << what;
  EXPECT_EQ(result.best.phase, expected.best.phase) << what;
  EXPECT_EQ(kept.models.at(SavedModel::kLast).info.dev_accuracy, result.best.dev_accuracy) << what;
  for (const SavedModel which : {SavedModel::kBest, SavedModel::kLast}) {
    const Checkpoint& found = kept.models.at(which);
    const Checkpoint& wanted = undisturbed.models.at(which);
    EXPECT_EQ(found.info.step, wanted.info.step) << what;
    EXPECT_EQ(found.info.patterns, wanted.info.patterns) << what;
    for (const auto& [name, weight] : wanted.weights) {
      EXPECT_TRUE(found.weights.at(name).equal(weight)) << what << " " << name;
    }
  }
}

// Goes on until the end, stopped again after `between` questions whether to stop, then one more,
// and so on: with as many each time an evaluation might never come to its end.
TrainingResult TrainWithStops(const Experiment& experiment, Kept& kept, int between) {
  std::optional<TrainingState> from;
  for (;; ++between) {
    int questions = 0;
    const TrainingResult result =
        TrainOnce(experiment, kept,
                  {.stop_requested = [&] { return ++questions == between; },
                   .state = from.has_value() ? &*from : nullptr});
    if (!result.interrupted) return result;
    from = kept.state;
    kept.said = kept.said_at_state;
  }
}

TEST(ResumedTrainingTest, StoppedWhereverItMayBe) {
  const Experiment experiment = TestExperiment();
  Kept undisturbed;
  const TrainingResult expected = TrainOnce(experiment, undisturbed, {});
  ASSERT_EQ(expected.transition_step, 16);
  // Every step asks, and so does every batch of an evaluation: stops fall on all of them.
  for (const int between : {1, 2, 3, 5, 9, 14, 22}) {
    Kept kept;
    const TrainingResult result = TrainWithStops(experiment, kept, between);
    ExpectSame(kept, result, undisturbed, expected, absl::StrCat("stopped after ", between));
  }
}

TEST(ResumedTrainingTest, StatesAreHandedOutEachIntervalAtTheTransitionAndAtTheEnd) {
  Kept kept;
  TrainOnce(TestExperiment(), kept, {.save_interval = 6});
  using enum StateReason;
  EXPECT_THAT(kept.reasons, ::testing::ElementsAre(kInterval, kInterval, kTransition, kInterval,
                                                   kInterval, kEnd));
}

TEST(ResumedTrainingTest, StoppedWhereTheMapsSettle) {
  Experiment experiment = TestExperiment();
  experiment.hyper_parameters.dense_step_limit = 0;
  experiment.hyper_parameters.transition_limit_percent = 100;
  Kept undisturbed;
  const TrainingResult expected = TrainOnce(experiment, undisturbed, {});
  ASSERT_EQ(expected.transition_step, 12);
  ASSERT_TRUE(expected.settled);
  for (const int between : {1, 9, 22}) {
    Kept kept;
    const TrainingResult result = TrainWithStops(experiment, kept, between);
    ExpectSame(kept, result, undisturbed, expected, absl::StrCat("stopped after ", between));
  }
}

// What a SIGKILL leaves: the state of some earlier step, and a best model that may be newer.
TEST(ResumedTrainingTest, LostAtAnyTime) {
  const Experiment experiment = TestExperiment();
  Kept undisturbed;
  const TrainingResult expected = TrainOnce(experiment, undisturbed, {});
  for (const int64_t interval : {1, 6}) {
    for (int lost_at = 2; lost_at < 60; lost_at += 9) {
      Kept kept;
      kept.is_killed = true;
      int questions = 0;
      const auto lose = [&]() -> bool {
        if (++questions == lost_at) throw std::runtime_error("the process is lost");
        return false;
      };
      std::optional<TrainingResult> result;
      try {
        result = TrainOnce(experiment, kept, {.stop_requested = lose, .save_interval = interval});
      } catch (const std::runtime_error&) {
        // Lost.
      }
      if (!result.has_value()) {
        const std::optional<TrainingState> from = kept.state;
        kept.said = kept.said_at_state;
        result =
            TrainOnce(experiment, kept,
                      {.save_interval = interval, .state = from.has_value() ? &*from : nullptr});
      }
      ExpectSame(kept, *result, undisturbed, expected,
                 absl::StrCat("lost at question ", lost_at, ", saved every ", interval));
    }
  }
}

// Attention that fails once, in the forward pass of some step.
class FailsOnce : public Attention {
 public:
  FailsOnce(std::unique_ptr<Attention> inner, int& calls)
      : inner_(std::move(inner)), calls_(calls) {}
  at::Tensor Forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const Lengths& lengths) override {
    TORCH_CHECK(--calls_ != 0, "out of memory");
    return inner_->Forward(q, k, v, lengths);
  }

 private:
  std::unique_ptr<Attention> inner_;
  int& calls_;
};

TEST(ResumedTrainingTest, AfterAnErrorInAStep) {
  static int calls = 0;
  calls = 0;
  Experiment experiment = TestExperiment();
  experiment.method.pattern_kind = {};
  const AttentionFactory inner = SmallDenseExperiment(Precision::kFloat32).method.make_attention;
  experiment.method.make_attention = [inner](const AttentionContext& context) {
    return std::make_unique<FailsOnce>(inner(context), calls);
  };
  Kept undisturbed;
  const TrainingResult expected = TrainOnce(experiment, undisturbed, {});
  for (const int fails_at : {1, 3, 6, 7, 20}) {
    Kept kept;
    calls = fails_at;
    EXPECT_THROW(TrainOnce(experiment, kept, {}), c10::Error);
    ASSERT_TRUE(kept.state.has_value());
    EXPECT_EQ(kept.reasons.back(), StateReason::kError);
    kept.said = kept.said_at_state;
    const std::optional<TrainingState> from = kept.state;
    const TrainingResult result = TrainOnce(experiment, kept, {.state = &*from});
    ExpectSame(kept, result, undisturbed, expected, absl::StrCat("failed at ", fails_at));
  }
}

// Attention that draws in every pass, also of an evaluation that is stopped and begun again.
class Draws : public Attention {
 public:
  explicit Draws(std::unique_ptr<Attention> inner) : inner_(std::move(inner)) {}
  at::Tensor Forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const Lengths& lengths) override {
    return inner_->Forward(q, k, v, lengths) + at::rand_like(v);
  }

 private:
  std::unique_ptr<Attention> inner_;
};

TEST(ResumedTrainingTest, StoppedWhereEvaluationsDraw) {
  Experiment experiment = TestExperiment();
  experiment.method.pattern_kind = {};
  const AttentionFactory inner = SmallDenseExperiment(Precision::kFloat32).method.make_attention;
  experiment.method.make_attention = [inner](const AttentionContext& context) {
    return std::make_unique<Draws>(inner(context));
  };
  Kept undisturbed;
  const TrainingResult expected = TrainOnce(experiment, undisturbed, {});
  for (const int between : {1, 3, 9}) {
    Kept kept;
    const TrainingResult result = TrainWithStops(experiment, kept, between);
    ExpectSame(kept, result, undisturbed, expected, absl::StrCat("stopped after ", between));
  }
}

// Of two ranks the first; the other adds nothing, and is lost in the sum of such a tensor.
class LosesRank : public Group {
 public:
  explicit LosesRank(std::function<bool(const at::Tensor& tensor)> when)
      : Group(0, 2), when_(std::move(when)) {}
  using Group::Broadcast;
  void Sum(const at::Tensor& tensor) override {
    if (when_(tensor)) throw RankLost("connection reset");
  }
  void Broadcast(const at::Tensor& /*tensor*/) override {}

 private:
  std::function<bool(const at::Tensor& tensor)> when_;
};

bool IsMap(const at::Tensor& tensor) { return tensor.dim() == 2; }
bool IsGradient(const at::Tensor& tensor) {
  return tensor.dim() == 1 && tensor.is_floating_point();
}

TEST(ResumedTrainingTest, ARankLostInAStepLeavesTheStateBeforeIt) {
  int gradients = 0;
  LosesRank group([&](const at::Tensor& tensor) { return IsGradient(tensor) && ++gradients == 3; });
  Kept kept;
  EXPECT_THROW(TrainOnce(TestExperiment(), kept, {.group = &group}), RankLost);
  ASSERT_TRUE(kept.state.has_value());
  EXPECT_EQ(kept.reasons.back(), StateReason::kError);
  EXPECT_EQ(StepOf(*kept.state).value(), 2);
}

// Maps are exchanged before their step.
TEST(ResumedTrainingTest, ARankLostInTheExchangeOfMapsLeavesTheStateBeforeTheStep) {
  const Experiment experiment = TestExperiment();
  LosesRank group(IsMap);
  Kept kept;
  EXPECT_THROW(TrainOnce(experiment, kept, {.group = &group}), RankLost);
  ASSERT_TRUE(kept.state.has_value());
  EXPECT_EQ(kept.reasons.back(), StateReason::kError);
  EXPECT_EQ(StepOf(*kept.state).value(), experiment.hyper_parameters.capture_interval - 1);
}

// The maps that were taken are looked at again, and nothing was counted twice.
TEST(ResumedTrainingTest, AfterAnErrorInACapture) {
  Experiment experiment = TestExperiment();
  Kept undisturbed;
  const TrainingResult expected = TrainOnce(experiment, undisturbed, {});
  const double threshold = experiment.hyper_parameters.threshold;
  experiment.hyper_parameters.threshold = 2;  // the generator refuses it, at the transition
  Kept kept;
  const TaskData data = SmallData();
  SequenceClassifier model = MakeModel(experiment, kSmallShape, at::kCPU);
  EXPECT_FALSE(Train(experiment, data, model, kept, {}).ok());
  ASSERT_TRUE(kept.state.has_value());
  kept.said = kept.said_at_state;
  experiment.hyper_parameters.threshold = threshold;
  const std::optional<TrainingState> from = kept.state;
  const TrainingResult result = TrainOnce(experiment, kept, {.state = &*from});
  ExpectSame(kept, result, undisturbed, expected, "after an error in a capture");
}

// What goes on from it would tell of the capture a second time, or never.
TEST(ResumedTrainingTest, ACaptureThatIsHalfToldIsInNoState) {
  class FailsInCapture : public Kept {
   public:
    absl::Status OnCapture(const TrainingPosition& /*at*/, const Capture& /*capture*/) override {
      return absl::DataLossError("no space left");
    }
  };
  FailsInCapture kept;
  const TaskData data = SmallData();
  SequenceClassifier model = MakeModel(TestExperiment(), kSmallShape, at::kCPU);
  EXPECT_FALSE(Train(TestExperiment(), data, model, kept, {}).ok());
  EXPECT_FALSE(kept.state.has_value());
}

TEST(ResumedTrainingTest, ATrainingThatHadEndedOnlyEndsAgain) {
  const Experiment experiment = TestExperiment();
  Kept undisturbed;
  const TrainingResult expected = TrainOnce(experiment, undisturbed, {});
  EXPECT_EQ(undisturbed.reasons.back(), StateReason::kEnd);
  Kept kept;
  kept.said = undisturbed.said_at_state;
  const TrainingResult result = TrainOnce(experiment, kept, {.state = &*undisturbed.state});
  ExpectSame(kept, result, undisturbed, expected, "ended");
  EXPECT_EQ(result.step_ms_dense, expected.step_ms_dense);
}

TEST(ResumedTrainingTest, TellsOfTheProcessesBeforeIt) {
  const Experiment experiment = TestExperiment();
  Kept kept;
  TrainOnce(experiment, kept, {.stop_requested = [] { return true; }});
  TrainingState state = *kept.state;
  state.PutValue("training.seconds", 1e6);
  state.PutValue("training.peak_used_mib", 2e6);
  state.PutValue("training.peak_reserved_mib", 3e6);
  state.PutValue("training.recorded", true);
  const TrainingResult result = TrainOnce(experiment, kept, {.state = &state});
  EXPECT_GT(result.train_seconds, 1e6);
  EXPECT_EQ(result.earlier_peak.used_mib, 2e6);
  EXPECT_EQ(result.earlier_peak.reserved_mib, 3e6);
  EXPECT_TRUE(result.recorded);
  // And so does the state that it leaves.
  EXPECT_GT(kept.state->Value<double>("training.seconds").value(), 1e6);
  EXPECT_EQ(kept.state->Value<double>("training.peak_used_mib").value(), 2e6);
  EXPECT_EQ(kept.state->Value<double>("training.peak_reserved_mib").value(), 3e6);
  EXPECT_TRUE(kept.state->Value<bool>("training.recorded").value());
}

TEST(ResumedTrainingTest, RefusesTheStateOfAnotherModel) {
  Kept other;
  TrainOnce(SmallDenseExperiment(Precision::kFloat32), other, {});
  Experiment experiment = SmallDenseExperiment(Precision::kFloat32);
  experiment.hyper_parameters.layers = 2;
  const TaskData data = SmallData();
  SequenceClassifier model = MakeModel(experiment, kSmallShape, at::kCPU);
  Kept kept;
  const absl::Status status =
      Train(experiment, data, model, kept, {.state = &*other.state}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("layer1"));
}

}  // namespace
}  // namespace spion
