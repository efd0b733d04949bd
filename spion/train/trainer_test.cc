// The whole loop on a small task, in the mixed precision of a GPU run: the CPU's autocast is the
// same machinery, and LibTorch's dense attention takes bf16 there.
#include "spion/train/trainer.h"

#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "spion/nn/fused_dense_attention.h"
#include "spion/nn/spion_attention.h"
#include "spion/train/evaluation.h"
#include "spion/train/recorder.h"
#include "spion/train/reports.h"

namespace spion {
namespace {

using ::testing::HasSubstr;

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

// One run in a folder of its own, which the test finds empty.
RunDirectory Folder(const std::string& name) {
  const std::string path = ::testing::TempDir() + "/trainer_" + name;
  std::filesystem::remove_all(path);
  return RunDirectory::Create(path).value();
}

absl::StatusOr<TrainingResult> TrainQuietly(const Experiment& experiment, const RunDirectory& run) {
  const TaskData data = Data();
  SequenceClassifier model = MakeModel(experiment, kShape, at::kCPU);
  std::ostringstream log;
  Progress progress(log, /*is_terminal=*/false);
  return Train(experiment, data, model, run, progress);
}

Experiment SpionExperiment() {
  Experiment experiment = DenseExperiment(Precision::kFloat32);
  experiment.method.name = "cf";
  experiment.method.pattern_kind = PatternKind::kCF;
  experiment.method.attention = [](c10::Device device) -> AttentionFactory {
    return [device](const AttentionContext& context) {
      return std::make_unique<SpionAttention>(context.layer, context.length, device,
                                              PrunedScore::kZero);
    };
  };
  experiment.hyper_parameters.threshold = 0.9;
  return experiment;
}

class TrainerTest : public ::testing::TestWithParam<Precision> {};

TEST_P(TrainerTest, LearnsAndKeepsItsWeightsInFloat32) {
  const TaskData data = Data();
  const Experiment experiment = DenseExperiment(GetParam());
  const RunDirectory run = Folder(std::string(PrecisionName(experiment.precision)));
  SequenceClassifier model = MakeModel(experiment, kShape, at::kCPU);
  std::ostringstream log;
  Progress progress(log, /*is_terminal=*/false);
  const absl::StatusOr<TrainingResult> result = Train(experiment, data, model, run, progress);
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

// Attention whose gradient is not a number though its values are: sqrt at 0.
class BrokenGradient : public Attention {
 public:
  at::Tensor Forward(const at::Tensor& q, const at::Tensor& /*k*/, const at::Tensor& v,
                     const Lengths& /*lengths*/) override {
    return v + (q * 0).sqrt();
  }
};

// The weights are lost in the last update, after the last loss that is looked at in training.
TEST(LastUpdateTest, WeightsThatAreNoNumbersAreNeverTheBest) {
  Experiment experiment = DenseExperiment(Precision::kFloat32);
  experiment.hyper_parameters.steps = 1;
  experiment.method.attention = [](c10::Device) -> AttentionFactory {
    return [](const AttentionContext&) { return std::make_unique<BrokenGradient>(); };
  };
  const RunDirectory run = Folder("nan");
  const absl::StatusOr<TrainingResult> result = TrainQuietly(experiment, run);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(result.status().message()),
              ::testing::AllOf(HasSubstr("the weight "), HasSubstr("no longer finite at step 1")));
  for (const char* name : {"best_dense.safetensors", "last.safetensors"}) {
    EXPECT_FALSE(std::filesystem::exists(run.File(name).path())) << name;
  }
}

// Weights so large that the logits overflow: an accuracy would be one of NaNs.
TEST(LastUpdateTest, ALossThatIsNotFiniteIsNeverTheBest) {
  Experiment experiment = DenseExperiment(Precision::kFloat32);
  experiment.hyper_parameters.steps = 1;
  experiment.hyper_parameters.warmup_steps = 1;
  experiment.hyper_parameters.learning_rate = 1e36;
  const RunDirectory run = Folder("huge");
  const absl::StatusOr<TrainingResult> result = TrainQuietly(experiment, run);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("dev set is no longer finite"));
  EXPECT_FALSE(std::filesystem::exists(run.File("best_dense.safetensors").path()));
}

TEST(BestTest, ATransitionInTheLastStepLeavesTheDenseOneToTest) {
  Experiment experiment = SpionExperiment();
  HyperParameters& h = experiment.hyper_parameters;
  h.dense_step_limit = h.steps;
  h.transition_limit_percent = 0;
  const RunDirectory run = Folder("last_step");
  const TrainingResult result = TrainQuietly(experiment, run).value();
  EXPECT_EQ(result.transition_step, 30);
  EXPECT_EQ(result.best.phase, Phase::kDense);
  EXPECT_EQ(result.best.name, "best_dense.safetensors");
  EXPECT_EQ(LoadBest(experiment, result, run)->info.phase, Phase::kDense);
  const nlohmann::ordered_json summary =
      Summary(experiment, ModelConfigFor(kShape, h), result, {}, {}, at::kCPU);
  EXPECT_EQ(summary["test_phase"], "dense");
  EXPECT_EQ(summary["test_step"], 30);
  EXPECT_EQ(summary["transition_step"], 30);
}

TEST(BestTest, IsReadBackOnlyIfThisRunSavedIt) {
  Experiment experiment = DenseExperiment(Precision::kFloat32);
  const RunDirectory run = Folder("mine");
  const TrainingResult mine = TrainQuietly(experiment, run).value();
  EXPECT_TRUE(LoadBest(experiment, mine, run).ok());

  const FilePlace place = run.File(mine.best.name);
  const CheckpointInfo info = LoadCheckpoint(place)->info;
  const SequenceClassifier model = MakeModel(experiment, kShape, at::kCPU);
  using Change = void (*)(CheckpointInfo&);
  for (const auto& [change, found] : {
           std::pair<Change, const char*>{[](auto& i) { i.seed = 4; }, "seed 4, step 30"},
           {[](auto& i) { i.step = 20; }, "seed 3, step 20"},
           {[](auto& i) { i.task = "text"; }, "text dense"},
           {[](auto& i) { i.method = "sdpa"; }, "image sdpa"},
       }) {
    CheckpointInfo other = info;
    change(other);
    ASSERT_TRUE(SaveCheckpoint(place, other, model).ok());
    const absl::Status status = LoadBest(experiment, mine, run).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()),
                ::testing::AllOf(HasSubstr(found), HasSubstr("this run saved one of image dense"),
                                 HasSubstr(place.path())));
  }
}

// Replays by doing the work again.
class Replayed : public Recording {
 public:
  explicit Replayed(std::function<void()> work) : work_(std::move(work)) {}
  void Replay() override { work_(); }

 private:
  std::function<void()> work_;
};

TEST(RecordingTest, IsSaidOnlyWhereThereWasOne) {
  Experiment experiment = DenseExperiment(Precision::kFloat32);
  HyperParameters& h = experiment.hyper_parameters;
  const auto said = [&](const char* folder) -> bool {
    const RunDirectory run = Folder(folder);
    const TrainingResult result = TrainQuietly(experiment, run).value();
    return Summary(experiment, ModelConfigFor(kShape, h), result, {}, {}, at::kCPU)["cuda_graph"];
  };
  EXPECT_FALSE(said("no_recorder"));
  RegisterRecorder(at::kCPU, [](c10::Device, const std::function<void()>& work) {
    return std::unique_ptr<Recording>(new Replayed(work));
  });
  EXPECT_TRUE(said("recorded"));
  h.steps = 3;  // they run as they are
  EXPECT_FALSE(said("three_steps"));
  h.steps = 30;
  experiment.cuda_graph = false;
  EXPECT_FALSE(said("not_wanted"));
  RegisterRecorder(at::kCPU, nullptr);
}

TEST(TryModelTest, SaysWhatAMethodCannotTake) {
  Experiment experiment = DenseExperiment(Precision::kFloat32);
  EXPECT_TRUE(TryModel(experiment, Data(), at::kCPU).ok());
  class Picky : public Attention {
   public:
    at::Tensor Forward(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                       const Lengths&) override {
      TORCH_CHECK(false, "a length of 16 is not a multiple of 64");
    }
  };
  experiment.method.attention = [](c10::Device) -> AttentionFactory {
    return [](const AttentionContext&) { return std::make_unique<Picky>(); };
  };
  EXPECT_THAT(std::string(TryModel(experiment, Data(), at::kCPU).message()),
              HasSubstr("a length of 16 is not a multiple of 64"));
}

INSTANTIATE_TEST_SUITE_P(Precisions, TrainerTest,
                         ::testing::Values(Precision::kFloat32, Precision::kBfloat16),
                         [](const auto& info) { return std::string(PrecisionName(info.param)); });

}  // namespace
}  // namespace spion
