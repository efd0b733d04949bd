// One training run: the three phases, evaluation on the dev set, checkpoints, metrics.
//
//   ASSIGN_OR_RETURN(TrainingResult result, Train(experiment, data, model, run, progress));
//
// Files in the run's folder: metrics.jsonl, mllog.txt (from run_start to run_stop, whose status is
// success when all steps were done); at the transition patterns.json and attention_maps.json
// (the maps they were made from, block by block); best_dense and best_sparse (the best dev accuracy
// of each phase), last (or interrupted) .safetensors.
#ifndef SPION_TRAIN_TRAINER_H_
#define SPION_TRAIN_TRAINER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "spion/data/task.h"
#include "spion/nn/classifier.h"
#include "spion/nn/method.h"
#include "spion/pattern/block_pattern.h"
#include "spion/profiling/trace.h"
#include "spion/train/checkpoint.h"
#include "spion/train/hyper_parameters.h"
#include "spion/train/phase_controller.h"
#include "spion/train/precision.h"
#include "spion/train/progress.h"
#include "spion/train/run_directory.h"

namespace spion {

/// What is run: one cell of a table.
struct Experiment {
  std::string task;
  Method method;
  Preset preset = Preset::kQuick;
  HyperParameters hyper_parameters;
  uint64_t seed = 1001;
  Precision precision = Precision::kFloat32;
  /// On a GPU, whether steps are recorded as a CUDA graph. The same numbers, faster.
  bool cuda_graph = true;
};

struct TrainingResult {
  /// Stopped by Ctrl-C or SIGTERM, after writing interrupted.safetensors.
  bool interrupted = false;
  int64_t steps = 0;
  std::optional<int64_t> transition_step;
  /// Why the dense phase ended: true by the transition test, false by the preset's step limit.
  bool settled = false;
  std::vector<BlockPattern> patterns;
  /// The checkpoint to test: the sparse phase's best where there was one.
  struct Best {
    std::string name;  // in the run's folder
    int64_t step = 0;
    Phase phase = Phase::kDense;
    double dev_accuracy = 0;
  };
  Best best;
  /// Whether any step was recorded and replayed; not so in a short run, nor where all are traced.
  bool recorded = false;
  double train_seconds = 0;
  std::optional<double> step_ms_dense;
  std::optional<double> step_ms_sparse;
};

/// The data's shape as the model's sizes.
ModelConfig ModelConfigFor(const TaskShape& shape, const HyperParameters& hyper_parameters);

/// A model of the experiment with fresh weights drawn from its seed.
SequenceClassifier MakeModel(const Experiment& experiment, const TaskShape& shape,
                             c10::Device device);

/// Makes a model of the experiment, and throws it away, after a forward pass of one example: there
/// are lengths that a method cannot take, and they show before the first step of training so.
/// Errors: InvalidArgument with the method's own words.
absl::Status TryModel(const Experiment& experiment, const TaskData& data, c10::Device device);

/// Trains `model` in place, and traces the steps that `trace` asks for (null: none); traced steps
/// do not count for the step times. Deterministic on one machine for a seed and a number of
/// threads; on a GPU as far as the attention is: LibTorch's dense attention is not. Errors: those
/// of the files; Internal when the mean loss since the last report, the loss on the dev set or a
/// weight is not finite, saying at which step that was seen. Such a model is never saved.
absl::StatusOr<TrainingResult> Train(const Experiment& experiment, const TaskData& data,
                                     SequenceClassifier& model, const RunDirectory& run,
                                     Progress& progress, Trace* trace = nullptr);

/// The checkpoint to test, read back from the run's folder. Errors: those of LoadCheckpoint;
/// FailedPrecondition if it is not the one that this run saved there.
absl::StatusOr<Checkpoint> LoadBest(const Experiment& experiment, const TrainingResult& result,
                                    const RunDirectory& run);

}  // namespace spion

#endif  // SPION_TRAIN_TRAINER_H_
