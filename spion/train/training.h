// Private to trainer.h.
#ifndef SPION_TRAIN_TRAINING_H_
#define SPION_TRAIN_TRAINING_H_

#include <chrono>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "spion/collective/delayed_any.h"
#include "spion/collective/group.h"
#include "spion/data/task.h"
#include "spion/nn/classifier.h"
#include "spion/profiling/range.h"
#include "spion/train/batches.h"
#include "spion/train/checkpoint.h"
#include "spion/train/experiment.h"
#include "spion/train/phase_controller.h"
#include "spion/train/schedule.h"
#include "spion/train/step_timer.h"
#include "spion/train/trainer.h"
#include "spion/train/training_events.h"
#include "spion/train/training_state.h"
#include "spion/train/training_step.h"

namespace spion {

// All of one training, and its loop. A step is trained, and what it owes besides is done: a look at
// the dev set, a look at the attention maps. Between these it can stop, be saved and go on.
class Training {
 public:
  /// All of these outlive the training.
  Training(const Experiment& experiment, const TaskData& data, SequenceClassifier& model,
           TrainingEvents& events, const TrainingOptions& options);

  absl::StatusOr<TrainingResult> Run();

 private:
  using Clock = std::chrono::steady_clock;

  TrainingPosition At(int64_t step) const;
  TrainingPosition Now() const { return At(result_.steps); }
  double LearningRate(int64_t step) const;
  absl::Status Begin();
  absl::Status Steps();
  absl::Status NextStep();
  void Step(int64_t step);
  absl::Status FinishStep();
  absl::Status StartBlock();
  absl::Status EndBlock();
  void StartTraceAt(int64_t step);
  absl::Status WriteTraceAfter(int64_t step);
  bool IsTraced() const { return options_.trace != nullptr && options_.trace->is_running(); }
  absl::Status Report(int64_t step);
  absl::Status CheckWeights(int64_t step);
  absl::Status EvaluateDev(int64_t step);
  absl::Status HandleCapture(const Capture& capture);
  Checkpoint Take(int64_t step, double dev_accuracy) const;
  absl::Status NoLongerFinite(absl::string_view what, int64_t step);

  bool IsSaveDue() const;
  absl::Status HandOutState(StateReason reason);
  void TryToSave();
  absl::Status RestoreFrom(const TrainingState& state);
  double Seconds() const;

  const Experiment& experiment_;
  const HyperParameters& h_;
  const DataSource& source_;
  SequenceClassifier& model_;
  TrainingEvents& events_;
  const TrainingOptions& options_;
  const BatchMaker dev_batches_;
  Group& group_;
  DelayedAny stop_;  // between steps
  TrainingStep step_;
  PhaseController phases_;
  OneCycleSchedule schedule_;
  const int64_t report_interval_;
  StepTimer timer_;
  TrainingResult result_;
  bool owes_evaluation_ = false;
  bool owes_capture_ = false;
  bool is_in_block_ = false;
  bool is_whole_ = true;            // a state of it as it is now would be one to go on from
  double best_dev_accuracy_ = -1;   // of the current phase
  std::optional<Checkpoint> best_;  // result_.best
  const Clock::time_point start_ = Clock::now();
  double seconds_before_ = 0;  // of the processes that trained up to the state
  Clock::time_point last_save_ = start_;
  std::optional<ProfilePhase> phase_range_;
};

}  // namespace spion

#endif  // SPION_TRAIN_TRAINING_H_
