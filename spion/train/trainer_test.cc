// The whole loop on a small task, in the mixed precision of a GPU run: the CPU's autocast is the
// same machinery, and LibTorch's dense attention takes bf16 there.
#include "spion/train/trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "spion/nn/fused_dense_attention.h"
#include "spion/train/evaluation.h"

namespace spion {
namespace {

constexpr TaskShape kShape{.sequence_length = 16, .vocabulary = 8, .classes = 2};

// The label is what all ids of a sequence are.
TaskData Data() {
  TaskData data(kShape);
  for (Split* split : {&data.train, &data.dev, &data.test}) {
    for (int example = 0; example < 32; ++example) {
      const std::vector<uint8_t> ids(kShape.sequence_length, example % 2);
      const absl::Span<const uint8_t> sequence = ids;
      split->AddExample({sequence}, example % 2);
    }
  }
  return data;
}

Experiment DenseExperiment(Precision precision) {
  HyperParameters h;
  h.layers = 1;
  h.batch_size = 8;
  h.learning_rate = 1e-3;
  h.warmup_steps = 5;
  h.steps = 30;
  h.capture_interval = 10;
  h.block_size = 16;
  h.evaluation_interval = 30;
  const auto attention = [](c10::Device) -> AttentionFactory {
    return [](const AttentionContext&) { return std::make_unique<FusedDenseAttention>(); };
  };
  return {
      .task = "image",
      .method = {.name = "dense", .description = "", .pattern_kind = {}, .attention = attention},
      .preset = Preset::kQuick,
      .hyper_parameters = h,
      .seed = 3,
      .precision = precision};
}

class TrainerTest : public ::testing::TestWithParam<Precision> {};

TEST_P(TrainerTest, LearnsAndKeepsItsWeightsInFloat32) {
  const TaskData data = Data();
  const Experiment experiment = DenseExperiment(GetParam());
  const RunDirectory run = RunDirectory::Create(::testing::TempDir() + "/" +
                                                std::string(PrecisionName(experiment.precision)))
                               .value();
  SequenceClassifier model = MakeModel(experiment, kShape, at::kCPU);
  std::ostringstream log;
  Progress progress(log, /*is_terminal=*/false);
  const absl::StatusOr<TrainingResult> result = Train(experiment, data, model, run, progress);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->steps, 30);
  EXPECT_EQ(result->dev_accuracy, 1.0);
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

}  // namespace
}  // namespace spion
