// What training tells whoever runs it: a run's journal, a test. Training itself writes nothing.
//
//   OnStart  (OnBlockStart OnReport* OnBlockEnd OnEvaluationStart OnEvaluated* OnEvaluation)*
//   OnEnd  OnModel
//
// and, wherever they fall, OnCapture, OnTrace, OnState, and OnModel with the best model so far. A
// block is what is trained between two evaluations. A training that goes on from a state begins
// with OnResume; an OnModel with the best model may follow, as whoever keeps it may have one of
// steps that are done again.
#ifndef SPION_TRAIN_TRAINING_EVENTS_H_
#define SPION_TRAIN_TRAINING_EVENTS_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "spion/profiling/trace.h"
#include "spion/train/checkpoint.h"
#include "spion/train/evaluation.h"
#include "spion/train/phase.h"
#include "spion/train/phase_controller.h"
#include "spion/train/training_state.h"

namespace spion {

/// Where training is: after `step` steps.
struct TrainingPosition {
  int64_t step = 0;
  int64_t samples = 0;
  double epochs = 0;
  Phase phase = Phase::kDense;
};

/// How the steps since the last report went.
struct TrainingReport {
  int64_t steps = 0;  // of the whole training
  double loss = 0;    // mean cross-entropy, nats, before each step's update
  double accuracy = 0;
  double learning_rate = 0;  // of the last step
  /// Of the newest of these steps that were measured; nothing if none was, being captures' or
  /// traced.
  std::optional<double> step_ms;
  std::optional<double> samples_per_second;
  /// Of the last steps that were measured, whenever: to estimate what is left.
  double last_step_ms = 0;
};

enum class SavedModel { kBest, kLast, kInterrupted };

/// Why a state is handed out.
enum class StateReason { kInterval, kTransition, kStop, kEnd, kError };

/// The first error ends the training, which returns it. By default each event passes.
class TrainingEvents {
 public:
  virtual ~TrainingEvents() = default;

  virtual absl::Status OnStart(const TrainingPosition& /*at*/) { return absl::OkStatus(); }
  virtual absl::Status OnResume(const TrainingPosition& /*at*/) { return absl::OkStatus(); }
  virtual absl::Status OnBlockStart(const TrainingPosition& /*at*/) { return absl::OkStatus(); }
  virtual absl::Status OnReport(const TrainingPosition& /*at*/, const TrainingReport& /*report*/) {
    return absl::OkStatus();
  }
  virtual absl::Status OnBlockEnd(const TrainingPosition& /*at*/) { return absl::OkStatus(); }
  virtual absl::Status OnEvaluationStart(const TrainingPosition& /*at*/) {
    return absl::OkStatus();
  }
  /// So many of the dev set's examples are done, at first none: before each round of batches.
  virtual void OnEvaluated(const TrainingPosition& /*at*/, int64_t /*done*/, int64_t /*examples*/) {
  }
  virtual absl::Status OnEvaluation(const TrainingPosition& /*at*/, const Evaluation& /*dev*/) {
    return absl::OkStatus();
  }
  /// `at` is of the phase after the capture: sparse if it was the transition.
  virtual absl::Status OnCapture(const TrainingPosition& /*at*/, const Capture& /*capture*/) {
    return absl::OkStatus();
  }
  /// A model to keep.
  virtual absl::Status OnModel(SavedModel /*which*/, const Checkpoint& /*checkpoint*/) {
    return absl::OkStatus();
  }
  /// The next OnState is of the training as it is now, after all events so far.
  virtual void OnMark() {}
  /// A state to keep, from which Train goes on as if it had not stopped: the training of the last
  /// OnMark. The listener may put values of its own into it.
  virtual absl::Status OnState(const TrainingPosition& /*at*/, StateReason /*reason*/,
                               TrainingState& /*state*/) {
    return absl::OkStatus();
  }
  /// A trace up to this step has been written, unless `written` says why not.
  virtual absl::Status OnTrace(const TrainingPosition& /*at*/, const TraceOptions& /*trace*/,
                               const absl::Status& /*written*/) {
    return absl::OkStatus();
  }
  /// Also when an error or an exception ends the steps, before it is passed on; not where training
  /// could not begin.
  virtual absl::Status OnEnd(const TrainingPosition& /*at*/, bool /*all_steps_done*/) {
    return absl::OkStatus();
  }
};

}  // namespace spion

#endif  // SPION_TRAIN_TRAINING_EVENTS_H_
