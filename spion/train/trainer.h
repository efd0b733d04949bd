// Training in three phases, with a look at the dev set now and then. Writes nothing itself: all
// that happens goes to TrainingEvents (training_events.h).
//
//   ASSIGN_OR_RETURN(TrainingResult result, Train(experiment, data, model, journal));
#ifndef SPION_TRAIN_TRAINER_H_
#define SPION_TRAIN_TRAINER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "spion/data/task.h"
#include "spion/nn/classifier.h"
#include "spion/pattern/block_pattern.h"
#include "spion/profiling/trace.h"
#include "spion/train/experiment.h"
#include "spion/train/phase_controller.h"
#include "spion/train/training_events.h"

namespace spion {

struct TrainingResult {
  /// Stopped because it was asked to, after an OnModel(kInterrupted).
  bool interrupted = false;
  int64_t steps = 0;
  std::optional<int64_t> transition_step;
  /// Why the dense phase ended: true by the transition test, false by the step limit.
  bool settled = false;
  std::vector<BlockPattern> patterns;
  /// The last OnModel(kBest), the model to test: the sparse phase's best where there was one.
  struct Best {
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

struct TrainingOptions {
  /// Steps to trace; null: none. Traced steps do not count for the step times.
  Trace* trace = nullptr;
  /// Asked after each step; true ends the training there.
  std::function<bool()> stop_requested = [] { return false; };
};

/// Trains `model` in place. Deterministic on one machine for a seed and a number of threads; on a
/// GPU as far as the attention is: LibTorch's dense attention is not. Errors: those of `events`;
/// Internal when the mean loss since the last report, the loss on the dev set or a weight is not
/// finite, saying at which step that was seen. Such a model is in no OnModel.
absl::StatusOr<TrainingResult> Train(const Experiment& experiment, const TaskData& data,
                                     SequenceClassifier& model, TrainingEvents& events,
                                     const TrainingOptions& options = {});

}  // namespace spion

#endif  // SPION_TRAIN_TRAINER_H_
