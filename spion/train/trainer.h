// Training in three phases, with a look at the dev set now and then. Writes nothing itself: all
// that happens goes to TrainingEvents (training_events.h).
//
//   ASSIGN_OR_RETURN(TrainingResult result, Train(experiment, data, model, journal));
//
// A training that was stopped, or whose process or machine was lost, goes on from the last state
// that it handed out, and ends with the same bits as one that was left in peace.
#ifndef SPION_TRAIN_TRAINER_H_
#define SPION_TRAIN_TRAINER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "spion/collective/group.h"
#include "spion/data/task.h"
#include "spion/nn/classifier.h"
#include "spion/pattern/block_pattern.h"
#include "spion/platform/device.h"
#include "spion/profiling/trace.h"
#include "spion/train/experiment.h"
#include "spion/train/phase.h"
#include "spion/train/training_events.h"
#include "spion/train/training_state.h"

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
  /// Of the processes that trained up to the state from which this one went on.
  PeakMemory earlier_peak;
  double train_seconds = 0;
  /// Median milliseconds of a step: of a method with a single phase, and of the two of SPION's.
  std::optional<double> step_ms;
  std::optional<double> step_ms_dense;
  std::optional<double> step_ms_sparse;
  /// By rank, of several: how long the exchange of gradients in a step took, waiting for each other
  /// included, of these processes alone. Who waits least is whom the others wait for.
  std::vector<double> exchange_ms;
};

struct TrainingOptions {
  /// The ranks that train this model together: each calls Train with the same experiment, data,
  /// model and state, and all but `events`, of which rank 0's alone matter. The batch is shared out
  /// evenly. It outlives the call.
  Group* group = &AloneGroup();
  /// Steps to trace; null: none. Traced steps do not count for the step times.
  Trace* trace = nullptr;
  /// Asked after each step and before each batch of an evaluation; true, on any rank, ends the
  /// training there, of several ranks that told so after a step one step later, with a state and an
  /// OnModel(kInterrupted).
  std::function<bool()> stop_requested = [] { return false; };
  /// Told of each step when it is started.
  std::function<void(int64_t step)> on_step = [](int64_t) {};
  /// Steps from one state to the next; 0: one about every five minutes. A state is handed out at
  /// the transition, at a stop, at the end and after an error besides; not after one that leaves
  /// a step half done, nor on a GPU where a rank is lost.
  int64_t save_interval = 0;
  /// A state of this experiment with these data, from which to go on; null: from the start.
  const TrainingState* state = nullptr;
};

/// Trains `model` in place. Deterministic on one machine for a seed and a number of threads; on a
/// GPU as far as the attention is: LibTorch's dense attention is not. Errors: those of `events`;
/// Internal when the mean loss since the last report, the loss on the dev set or a weight is not
/// finite, saying at which step that was seen: such a model is in no OnModel and no OnState;
/// DataLoss if the state is not one of this training; Internal, naming them, when ranks no longer
/// have the same weights, seen at an evaluation. Throws what LibTorch and the group throw, after an
/// OnState where there is one.
absl::StatusOr<TrainingResult> Train(const Experiment& experiment, const TaskData& data,
                                     SequenceClassifier& model, TrainingEvents& events,
                                     const TrainingOptions& options = {});

/// After which step `state` is. Errors: DataLoss if it is the state of no training.
absl::StatusOr<int64_t> StepOf(const TrainingState& state);

/// Whether it is of the sparse phase, and so has the patterns.
bool HasPatterns(const TrainingState& state);

}  // namespace spion

#endif  // SPION_TRAIN_TRAINER_H_
