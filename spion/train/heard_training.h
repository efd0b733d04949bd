// What a training tells, for tests of it.
#ifndef SPION_TRAIN_HEARD_TRAINING_H_
#define SPION_TRAIN_HEARD_TRAINING_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "spion/train/trainer.h"

namespace spion {

/// What was handed out, and the order of all events.
class Heard : public TrainingEvents {
 public:
  absl::Status OnStart(const TrainingPosition& at) override { return Note("start", at); }
  absl::Status OnBlockStart(const TrainingPosition& at) override { return Note("block", at); }
  absl::Status OnReport(const TrainingPosition& at, const TrainingReport& report) override {
    positions.push_back(at);
    reports.push_back(report);
    return absl::OkStatus();
  }
  absl::Status OnBlockEnd(const TrainingPosition& at) override { return Note("end of block", at); }
  absl::Status OnEvaluationStart(const TrainingPosition& at) override { return Note("eval", at); }
  absl::Status OnEvaluation(const TrainingPosition& at, const Evaluation& /*dev*/) override {
    return Note("end of eval", at);
  }
  absl::Status OnCapture(const TrainingPosition& at, const Capture& /*capture*/) override {
    return Note("capture", at);
  }
  absl::Status OnModel(SavedModel which, const Checkpoint& checkpoint) override {
    models.push_back(which);
    return Note(which == SavedModel::kBest ? "best" : "last", {.step = checkpoint.info.step});
  }
  absl::Status OnState(const TrainingPosition& /*at*/, StateReason /*reason*/,
                       TrainingState& /*state*/) override {
    ++states;
    return absl::OkStatus();
  }
  absl::Status OnEnd(const TrainingPosition& at, bool all_steps_done) override {
    succeeded = all_steps_done;
    return Note("end", at);
  }

  std::vector<std::string> events;
  std::vector<SavedModel> models;
  int states = 0;
  std::vector<TrainingPosition> positions;  // of the reports
  std::vector<TrainingReport> reports;
  bool succeeded = false;
  std::string fails_at;  // the event that returns an error

 private:
  absl::Status Note(absl::string_view event, const TrainingPosition& at) {
    events.push_back(absl::StrCat(event, " ", at.step));
    return events.back() == fails_at ? absl::DataLossError("no space left") : absl::OkStatus();
  }
};

/// A training on SmallData (small_training.h), on the CPU.
absl::StatusOr<TrainingResult> TrainSmall(const Experiment& experiment, TrainingEvents& events,
                                          const TrainingOptions& options = {});

}  // namespace spion

#endif  // SPION_TRAIN_HEARD_TRAINING_H_
