// The whole loop on a small task, in the mixed precision of a GPU run: the CPU's autocast is the
// same machinery, and LibTorch's dense attention takes bf16 there.
#include "spion/train/trainer.h"

#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "spion/nn/attention.h"
#include "spion/platform/recorder.h"
#include "spion/train/batches.h"
#include "spion/train/evaluation.h"
#include "spion/train/heard_training.h"
#include "spion/train/replayed.h"
#include "spion/train/small_training.h"

namespace spion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TrainerTest : public ::testing::TestWithParam<Precision> {};

TEST_P(TrainerTest, LearnsAndKeepsItsWeightsInFloat32) {
  const TaskData data = SmallData();
  const Experiment experiment = SmallDenseExperiment(GetParam());
  SequenceClassifier model = MakeModel(experiment, kSmallShape, at::kCPU);
  Heard heard;
  const absl::StatusOr<TrainingResult> result = Train(experiment, data, model, heard);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->steps, 30);
  EXPECT_EQ(result->best.dev_accuracy, 1.0);
  for (const NamedTensor& parameter : model.parameters().items()) {
    EXPECT_EQ(parameter.value.scalar_type(), at::kFloat) << parameter.name;
  }
  // In another precision the result is another, but not far off.
  const Precision other =
      GetParam() == Precision::kFloat32 ? Precision::kBfloat16 : Precision::kFloat32;
  const BatchMaker test_batches(data.test, at::kCPU);
  const double loss = Evaluate(model, test_batches, 8, 0, GetParam()).loss;
  const double other_loss = Evaluate(model, test_batches, 8, 0, other).loss;
  EXPECT_NE(loss, other_loss);
  EXPECT_LE(std::abs(loss - other_loss), 0.02);
}

INSTANTIATE_TEST_SUITE_P(Precisions, TrainerTest,
                         ::testing::Values(Precision::kFloat32, Precision::kBfloat16),
                         [](const auto& info) { return std::string(PrecisionName(info.param)); });

TEST(EventsTest, ComeInOrder) {
  Experiment experiment = SmallSpionExperiment();
  experiment.hyper_parameters.evaluation_interval = 20;
  experiment.hyper_parameters.dense_step_limit = 10;
  Heard heard;
  ASSERT_TRUE(TrainSmall(experiment, heard).ok());
  EXPECT_THAT(heard.events,
              ElementsAre("start 0", "block 0", "capture 10", "end of block 20", "eval 20",
                          "end of eval 20", "best 20", "block 20", "end of block 30", "eval 30",
                          "end of eval 30", "end 30", "last 30"));
  EXPECT_TRUE(heard.succeeded);
}

TEST(EventsTest, ReportsSayHowFarAndHowFast) {
  Heard heard;
  ASSERT_TRUE(TrainSmall(SmallDenseExperiment(Precision::kFloat32), heard).ok());
  ASSERT_EQ(heard.reports.size(), 30u);  // of so short a training one a step
  for (size_t i = 0; i < heard.reports.size(); ++i) {
    const auto step = static_cast<int64_t>(i) + 1;
    EXPECT_EQ(heard.positions[i].step, step);
    EXPECT_EQ(heard.positions[i].samples, 8 * step);
    EXPECT_DOUBLE_EQ(heard.positions[i].epochs, static_cast<double>(step) / 4);  // of 32 examples
    const TrainingReport& report = heard.reports[i];
    EXPECT_EQ(report.steps, 30);
    ASSERT_TRUE(report.step_ms.has_value());
    EXPECT_GT(*report.step_ms, 0);
    EXPECT_EQ(report.last_step_ms, *report.step_ms);
    EXPECT_NEAR(report.samples_per_second.value() * *report.step_ms / 1e3, 8, 1e-9);
  }
}

TEST(EventsTest, ALongTrainingReportsEachFiftySteps) {
  Experiment experiment = SmallDenseExperiment(Precision::kFloat32);
  experiment.hyper_parameters.steps = 10'000;
  experiment.hyper_parameters.evaluation_interval = 10'000;
  Heard heard;
  int steps = 0;
  ASSERT_TRUE(TrainSmall(experiment, heard, {.stop_requested = [&] { return ++steps == 120; }})
                  ->interrupted);
  ASSERT_EQ(heard.positions.size(), 2u);
  EXPECT_EQ(heard.positions[0].step, 50);
  EXPECT_EQ(heard.positions[1].step, 100);
}

TEST(EventsTest, AnErrorEndsTheTrainingAndItsEndIsHeard) {
  Heard heard;
  heard.fails_at = "eval 30";
  const absl::Status status = TrainSmall(SmallDenseExperiment(Precision::kFloat32), heard).status();
  EXPECT_EQ(status.message(), "no space left");
  EXPECT_EQ(heard.events.back(), "end 30");
  EXPECT_FALSE(heard.succeeded);
  EXPECT_THAT(heard.models, IsEmpty());
}

TEST(StopTest, EndsAfterTheStepAndHandsOutTheModel) {
  Heard heard;
  int steps = 0;
  const TrainingResult result = TrainSmall(SmallDenseExperiment(Precision::kFloat32), heard,
                                           {.stop_requested = [&] { return ++steps == 7; }})
                                    .value();
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(result.steps, 7);
  EXPECT_THAT(heard.events, ElementsAre("start 0", "block 0", "end of block 7", "end 7", "last 7"));
  EXPECT_THAT(heard.models, ElementsAre(SavedModel::kInterrupted));
  EXPECT_FALSE(heard.succeeded);
}

// Attention whose gradient is not a number though its values are: sqrt at 0.
class BrokenGradient : public Attention {
 public:
  at::Tensor Forward(const at::Tensor& q, const at::Tensor& /*k*/, const at::Tensor& v,
                     const Lengths& /*lengths*/) override {
    return v + (q * 0).sqrt();
  }
};

// The weights are lost in the last update, after the last loss that is looked at in training.
TEST(LastUpdateTest, WeightsThatAreNoNumbersAreNeverHandedOut) {
  Experiment experiment = SmallDenseExperiment(Precision::kFloat32);
  experiment.hyper_parameters.steps = 1;
  experiment.method.make_attention = [](const AttentionContext&) {
    return std::make_unique<BrokenGradient>();
  };
  Heard heard;
  const absl::Status status = TrainSmall(experiment, heard).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()),
              ::testing::AllOf(HasSubstr("the weight "), HasSubstr("no longer finite at step 1")));
  EXPECT_THAT(heard.models, IsEmpty());
}

TEST(LastUpdateTest, NorAreTheyInAState) {
  Experiment experiment = SmallDenseExperiment(Precision::kFloat32);
  experiment.method.make_attention = [](const AttentionContext&) {
    return std::make_unique<BrokenGradient>();
  };
  Heard heard;
  const absl::Status status =
      TrainSmall(experiment, heard, {.stop_requested = [] { return true; }}).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("no longer finite at step 1"));
  EXPECT_EQ(heard.states, 0);
}

// The second step's loss tells, before anything else is looked at.
TEST(ReportTest, ALossThatIsNotFiniteEndsTheTraining) {
  Experiment experiment = SmallDenseExperiment(Precision::kFloat32);
  experiment.method.make_attention = [](const AttentionContext&) {
    return std::make_unique<BrokenGradient>();
  };
  Heard heard;
  const absl::Status status = TrainSmall(experiment, heard).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("the loss is no longer finite at step 2"));
  EXPECT_EQ(heard.reports.size(), 1u);
}

// Weights so large that the logits overflow: an accuracy would be one of NaNs.
TEST(LastUpdateTest, ALossThatIsNotFiniteIsNeverTheBest) {
  Experiment experiment = SmallDenseExperiment(Precision::kFloat32);
  experiment.hyper_parameters.steps = 1;
  experiment.hyper_parameters.warmup_steps = 1;
  experiment.hyper_parameters.learning_rate = 1e36;
  Heard heard;
  const absl::Status status = TrainSmall(experiment, heard).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("dev set is no longer finite"));
  EXPECT_THAT(heard.models, IsEmpty());
}

constexpr double kPauseMs = 500;  // many times a step of so small a model

void Pause() { std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(kPauseMs)); }

class Slow : public Heard {
 public:
  absl::Status OnCapture(const TrainingPosition& at, const Capture& capture) override {
    Pause();
    return Heard::OnCapture(at, capture);
  }
  absl::Status OnEvaluation(const TrainingPosition& at, const Evaluation& dev) override {
    Pause();
    return Heard::OnEvaluation(at, dev);
  }
};

TEST(StepTimeTest, IsWithoutCapturesAndEvaluations) {
  Experiment experiment = SmallSpionExperiment();
  experiment.hyper_parameters.steps = 20;
  experiment.hyper_parameters.dense_step_limit = 10;
  experiment.hyper_parameters.evaluation_interval = 15;
  Slow slow;
  // A capture's step has a pass of its own besides.
  const auto on_step = [](int64_t step) {
    if (step == 10) Pause();
  };
  ASSERT_EQ(TrainSmall(experiment, slow, {.on_step = on_step})->transition_step, 10);
  ASSERT_EQ(slow.reports.size(), 20u);
  for (const size_t step : {10, 11, 16}) {  // with a pause in it, or before it
    EXPECT_LT(slow.reports[step - 1].last_step_ms, kPauseMs) << step;
  }
  for (size_t step = 1; step <= 20; ++step) {
    const TrainingReport& report = slow.reports[step - 1];
    EXPECT_EQ(report.step_ms.has_value(), step != 10) << step;  // a capture's is not measured
    EXPECT_EQ(report.samples_per_second.has_value(), step != 10) << step;
  }
  EXPECT_EQ(slow.reports[9].last_step_ms, *slow.reports[8].step_ms);
}

TEST(RecordingTest, IsSaidOnlyWhereThereWasOne) {
  Experiment experiment = SmallDenseExperiment(Precision::kFloat32);
  const auto recorded = [&] {
    Heard heard;
    return TrainSmall(experiment, heard)->recorded;
  };
  EXPECT_FALSE(recorded());  // no recorder
  RegisterRecorder(
      at::kCPU, [](c10::Device, const std::function<void()>& work) { return Replayed::Of(work); });
  EXPECT_TRUE(recorded());
  experiment.hyper_parameters.steps = 3;  // they run as they are
  EXPECT_FALSE(recorded());
  experiment.hyper_parameters.steps = 30;
  experiment.cuda_graph = false;
  EXPECT_FALSE(recorded());
  RegisterRecorder(at::kCPU, nullptr);
}

// After the transition the layers do other work: a replay of the dense phase would be wrong.
TEST(RecordingTest, EachPhaseIsRecordedAnew) {
  static int recordings = 0;
  recordings = 0;
  RegisterRecorder(at::kCPU, [](c10::Device, const std::function<void()>& work) {
    ++recordings;
    return Replayed::Of(work);
  });
  Experiment experiment = SmallSpionExperiment();
  experiment.hyper_parameters.dense_step_limit = 10;
  Heard heard;
  const TrainingResult result = TrainSmall(experiment, heard).value();
  RegisterRecorder(at::kCPU, nullptr);
  EXPECT_EQ(result.transition_step, 10);
  EXPECT_EQ(recordings, 2);
}

TEST(TryModelTest, SaysWhatAMethodCannotTake) {
  Experiment experiment = SmallDenseExperiment(Precision::kFloat32);
  EXPECT_TRUE(TryModel(experiment, SmallData(), at::kCPU).ok());
  class Picky : public Attention {
   public:
    at::Tensor Forward(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                       const Lengths&) override {
      TORCH_CHECK(false, "a length of 16 is not a multiple of 64");
    }
  };
  experiment.method.make_attention = [](const AttentionContext&) {
    return std::make_unique<Picky>();
  };
  EXPECT_THAT(std::string(TryModel(experiment, SmallData(), at::kCPU).message()),
              HasSubstr("a length of 16 is not a multiple of 64"));
}

}  // namespace
}  // namespace spion
