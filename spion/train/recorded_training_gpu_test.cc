// A whole run with recorded steps is the run without, bit for bit: capture steps and evaluations
// between replays, the transition and the recording after it included.
#include <gtest/gtest.h>

#include <memory>
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

}  // namespace
}  // namespace spion
