// A whole run with recorded steps is the run without, bit for bit: capture steps and evaluations
// between replays, the transition and the recording after it included.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "spion/base/random.h"
#include "spion/nn/spion_attention.h"
#include "spion/platform/recorder.h"
#include "spion/train/trainer.h"

namespace spion {
namespace {

const c10::Device kGpu(at::kCUDA, 0);

// Padded, for then all attention is SPION's own and deterministic.
constexpr TaskShape kShape{
    .sequence_length = 64, .vocabulary = 9, .classes = 2, .has_padding = true};

// The label is the parity of the first id.
TaskData Data() {
  TaskData data(kShape);
  Random random(5);
  for (Split* split : {&data.train, &data.dev, &data.test}) {
    for (int example = 0; example < 96; ++example) {
      std::vector<uint8_t> bytes(16 + random.Below(49));
      for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.Below(8));
      const absl::Span<const uint8_t> sequence = bytes;
      split->AddExample({sequence}, bytes[0] % 2);
    }
  }
  return data;
}

Experiment SpionExperiment(bool cuda_graph) {
  HyperParameters h;
  h.layers = 2;
  h.batch_size = 16;
  h.learning_rate = 1e-3;
  h.warmup_steps = 5;
  h.steps = 60;
  h.capture_interval = 8;
  h.dense_step_limit = 24;
  h.block_size = 16;
  h.threshold = 0.9;
  h.evaluation_interval = 15;
  const auto attention = [](const AttentionContext& context) {
    return std::make_unique<SpionAttention>(context.layer, context.length, context.device,
                                            PrunedScore::kZero);
  };
  return {.task = "image",
          .method = {.name = "cf",
                     .description = "",
                     .pattern_kind = PatternKind::kCF,
                     .make_attention = attention},
          .hyper_parameters = h,
          .seed = 3,
          .precision = Precision::kBfloat16,
          .cuda_graph = cuda_graph};
}

struct Trained {
  TrainingResult result;
  std::vector<at::Tensor> weights;
};

Trained TrainOnGpu(bool cuda_graph) {
  const TaskData data = Data();
  const Experiment experiment = SpionExperiment(cuda_graph);
  SequenceClassifier model = MakeModel(experiment, kShape, kGpu);
  TrainingEvents unheard;
  Trained trained{.result = Train(experiment, data, model, unheard).value(), .weights = {}};
  for (const NamedTensor& parameter : model.parameters().items()) {
    trained.weights.push_back(parameter.value.detach().cpu());
  }
  return trained;
}

TEST(RecordedTrainingTest, IsTheSameTraining) {
  ASSERT_NE(FindRecorder(at::kCUDA), nullptr);
  const Trained recorded = TrainOnGpu(true);
  const Trained separate = TrainOnGpu(false);
  ASSERT_TRUE(recorded.result.transition_step.has_value());
  EXPECT_LE(*recorded.result.transition_step, 24);
  EXPECT_EQ(recorded.result.transition_step, separate.result.transition_step);
  EXPECT_EQ(recorded.result.patterns, separate.result.patterns);
  EXPECT_EQ(recorded.result.best.dev_accuracy, separate.result.best.dev_accuracy);
  ASSERT_EQ(recorded.weights.size(), separate.weights.size());
  for (size_t i = 0; i < recorded.weights.size(); ++i) {
    EXPECT_TRUE(recorded.weights[i].equal(separate.weights[i])) << "parameter " << i;
  }
}

// Keeps the last state, by way of a file.
class Kept : public TrainingEvents {
 public:
  absl::Status OnState(const TrainingPosition& /*at*/, StateReason /*reason*/,
                       TrainingState& saved) override {
    const std::string path = std::string(::testing::TempDir()) + "/recorded_state";
    EXPECT_TRUE(SaveState(path, saved).ok());
    state = LoadState(path).value();
    return absl::OkStatus();
  }
  std::optional<TrainingState> state;
};

// Stopped again and again, while replaying and before, at captures and around the transition.
TEST(RecordedTrainingTest, StoppedAndResumedIsTheSameTraining) {
  const TaskData data = Data();
  const Experiment experiment = SpionExperiment(/*cuda_graph=*/true);
  const Trained undisturbed = TrainOnGpu(true);
  for (const int first_stop : {1, 3, 8, 11, 17}) {
    Kept kept;
    std::optional<TrainingState> from;
    std::vector<at::Tensor> weights;
    TrainingResult result;
    for (int stop = first_stop;; ++stop) {
      SequenceClassifier model = MakeModel(experiment, kShape, kGpu);
      int questions = 0;
      result = Train(experiment, data, model, kept,
                     {.stop_requested = [&] { return ++questions == stop; },
                      .state = from.has_value() ? &*from : nullptr})
                   .value();
      weights.clear();
      for (const NamedTensor& parameter : model.parameters().items()) {
        weights.push_back(parameter.value.detach().cpu());
      }
      if (!result.interrupted) break;
      from = kept.state;
    }
    EXPECT_EQ(result.transition_step, undisturbed.result.transition_step) << first_stop;
    EXPECT_EQ(result.patterns, undisturbed.result.patterns) << first_stop;
    EXPECT_EQ(result.best.step, undisturbed.result.best.step) << first_stop;
    ASSERT_EQ(weights.size(), undisturbed.weights.size());
    for (size_t i = 0; i < weights.size(); ++i) {
      EXPECT_TRUE(weights[i].equal(undisturbed.weights[i])) << first_stop << ", parameter " << i;
    }
  }
}

}  // namespace
}  // namespace spion
