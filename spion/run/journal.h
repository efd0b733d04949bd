// Everything that a training writes: what a user sees while it goes on, and the files in the run's
// folder.
//
//   RunJournal journal(experiment, run, progress);
//   ASSIGN_OR_RETURN(TrainingResult result, Train(experiment, data, model, journal));
//   ASSIGN_OR_RETURN(Checkpoint best, journal.LoadBest(result));
//
// Files: metrics.jsonl, mllog.txt (from run_start to run_stop, whose status is success when all
// steps were done); at the transition patterns.json and attention_maps.json (the maps they were
// made from, block by block; whole where the experiment keeps them); best_dense and best_sparse
// (the best dev accuracy of each phase), or best where there is a single phase, last (or
// interrupted) .safetensors; and state.safetensors, from which a training goes on.
//
// A report's step_ms and throughput are of steps since the last report: where none was measured,
// all being captures' or traced, step_ms is null and throughput is not there.
//
// A log that cannot be written (metrics.jsonl, mllog.txt) does not end the training: it is said
// once, and log_error() has it. Nor does a trace, or a state that cannot be written, but at a stop.
#ifndef SPION_RUN_JOURNAL_H_
#define SPION_RUN_JOURNAL_H_

#include <array>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "spion/run/mllog.h"
#include "spion/run/progress.h"
#include "spion/run/run_directory.h"
#include "spion/train/experiment.h"
#include "spion/train/trainer.h"
#include "spion/train/training_events.h"

namespace spion {

/// "best_dense.safetensors", "best.safetensors" of a single phase, "last.safetensors", ...
std::string ModelFileName(SavedModel which, Phase phase);

inline constexpr char kStateFileName[] = "state.safetensors";

class RunJournal : public TrainingEvents {
 public:
  /// All three outlive the journal. Errors of all events: those of the files that are no
  /// logs.
  RunJournal(const Experiment& experiment, const RunDirectory& run, Progress& progress)
      : experiment_(experiment), run_(run), ml_log_(run.ml_log()), progress_(progress) {}

  absl::Status OnStart(const TrainingPosition& at) override;
  absl::Status OnResume(const TrainingPosition& at) override;
  absl::Status OnBlockStart(const TrainingPosition& at) override;
  absl::Status OnReport(const TrainingPosition& at, const TrainingReport& report) override;
  absl::Status OnBlockEnd(const TrainingPosition& at) override;
  absl::Status OnEvaluationStart(const TrainingPosition& at) override;
  void OnEvaluated(const TrainingPosition& at, int64_t done, int64_t examples) override;
  absl::Status OnEvaluation(const TrainingPosition& at, const Evaluation& dev) override;
  absl::Status OnCapture(const TrainingPosition& at, const Capture& capture) override;
  absl::Status OnModel(SavedModel which, const Checkpoint& checkpoint) override;
  void OnMark() override;
  absl::Status OnState(const TrainingPosition& at, StateReason reason,
                       TrainingState& state) override;
  absl::Status OnTrace(const TrainingPosition& at, const TraceOptions& trace,
                       const absl::Status& written) override;
  absl::Status OnEnd(const TrainingPosition& at, bool all_steps_done) override;

  /// The checkpoint to test, read back from the run's folder. Errors: those of LoadCheckpoint;
  /// FailedPrecondition if it is not the one that this run saved there.
  absl::StatusOr<Checkpoint> LoadBest(const TrainingResult& result) const;

  /// Tells mllog.txt how the checkpoint to test did.
  void LogTest(const CheckpointInfo& tested, const Evaluation& test);

  /// Before a training goes on from a state that was saved in this folder: cuts the logs back to
  /// what was in them when it was saved; a log that has less, or something else, is said, and is
  /// log_error(). Errors: the system's, naming the file.
  absl::Status CutLogsBack(const TrainingState& state);

  /// Writes patterns.json: of a method that fixes its patterns, without a transition's step.
  absl::Status WritePatterns(absl::Span<const BlockPattern> patterns,
                             std::optional<int64_t> transition_step) const;

  /// After which step the state is that was saved last, by this journal; nothing if there is none.
  const std::optional<int64_t>& saved_step() const { return saved_step_; }

  /// The first that a log could not be written, and all that were found changed; OK if none was.
  const absl::Status& log_error() const { return log_error_; }

 private:
  void Metric(const nlohmann::ordered_json& metric);
  void Logged(const absl::Status& status);
  void SayLogError(const absl::Status& status);
  absl::Status WriteTransition(const TrainingPosition& at, const Capture& capture);
  absl::Status WriteMaps(const Capture& capture) const;
  absl::Status WriteWholeMaps(const Capture& capture) const;

  const Experiment& experiment_;
  const RunDirectory& run_;
  const MlLog ml_log_;
  Progress& progress_;
  absl::Status log_error_;
  std::optional<int64_t> saved_step_;
  // Of metrics.jsonl and mllog.txt at the last mark, and whether more has been written since.
  std::array<int64_t, 2> log_bytes_ = {};
  bool has_news_ = true;
};

}  // namespace spion

#endif  // SPION_RUN_JOURNAL_H_
