#include "experiments/evaluation_command.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace spion {
namespace {

constexpr char kCheckpoint[] = "/results/run/last.safetensors";

TEST(EvaluationCommandTest, OfDefaultsNamesTheCheckpointAndThePresetThatAutoChose) {
  Experiment experiment;
  experiment.task = "image";
  experiment.method.name = "cf";
  EXPECT_EQ(EvaluationCommand(experiment, Options(), TaskShape(), kCheckpoint),
            "bazel run //experiments:lra_image_cf -- --mode=eval "
            "--checkpoint=/results/run/last.safetensors --preset=quick");
}

TEST(EvaluationCommandTest, OfABundleStartsThatsProgram) {
  Experiment experiment;
  experiment.task = "image";
  experiment.method.name = "cf";
  setenv("SPION_STARTED_BY", "bundle/run lra", /*overwrite=*/1);
  const std::string command = EvaluationCommand(experiment, Options(), TaskShape(), kCheckpoint);
  unsetenv("SPION_STARTED_BY");
  EXPECT_EQ(command,
            "bundle/run lra --task=image --method=cf --mode=eval "
            "--checkpoint=/results/run/last.safetensors --preset=quick");
}

TEST(EvaluationCommandTest, HasEverySettingThatAnEvaluationNeedsAndNoOther) {
  Experiment experiment;
  experiment.task = "text";
  experiment.method.name = "longformer";
  experiment.preset = Preset::kPaper;
  experiment.given = {{"sequence_length", "1024"},
                      {"steps", "3"},
                      {"test_examples", "64"},
                      {"learning_rate", "0.1"}};
  TaskShape shape;
  shape.has_padding = true;
  Options options;
  options.data_dir = "/my data/it's";
  options.seed = 7;
  options.device = "cpu";
  options.precision = "float32";
  EXPECT_EQ(EvaluationCommand(experiment, options, shape, kCheckpoint),
            "bazel run //experiments:lra_text_longformer -- --mode=eval "
            "--checkpoint=/results/run/last.safetensors --preset=paper "
            "--data_dir='/my data/it'\\''s' --seed=7 --device=cpu --precision=float32 "
            "--sequence_length=1024 --test_examples=64");
}

}  // namespace
}  // namespace spion
