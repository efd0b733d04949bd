#include "experiments/run_evaluation.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "experiments/session_report.h"
#include "experiments/test_model.h"
#include "spion/base/status.h"
#include "spion/platform/device.h"
#include "spion/run/run_directory.h"
#include "spion/train/batches.h"
#include "spion/train/checkpoint.h"
#include "spion/train/evaluation.h"
#include "spion/train/inference_cost.h"

namespace spion {
namespace {

// Which flags give the model the checkpoint's length: its table of positions has a row for each.
std::string FlagsOfLength(const Checkpoint& checkpoint, const TaskShape& shape) {
  const std::string preset = absl::StrCat("--preset=", checkpoint.info.preset);
  const auto table = checkpoint.weights.find("positions.table");
  if (!shape.has_padding || table == checkpoint.weights.end() || table->second.dim() != 2 ||
      table->second.size(0) == shape.sequence_length) {
    return preset;
  }
  return absl::StrCat(preset, " --sequence_length=", table->second.size(0));
}

// The model of the checkpoint, which must be one of the session's task and method.
absl::Status RestoreInto(SequenceClassifier& model, const Checkpoint& checkpoint,
                         const Session& session, const Options& options) {
  const CheckpointInfo& info = checkpoint.info;
  if (info.task != session.experiment.task || info.method != session.experiment.method.name) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.checkpoint, " is a checkpoint of ", info.task, " ", info.method,
                     "; evaluate it with //experiments:lra_", info.task, "_", info.method));
  }
  absl::Status restored = Restore(checkpoint, model);
  if (restored.ok()) return restored;
  return absl::InvalidArgumentError(
      absl::StrCat(options.checkpoint, ": ", restored.message(), "; it was trained with ",
                   FlagsOfLength(checkpoint, session.data.shape),
                   ", and is evaluated at the length that it was trained at"));
}

// Says where the test set is not one of the data that the checkpoint was trained with.
void WarnOfOtherData(const CheckpointInfo& info, const DataSource& source, Progress& progress) {
  if (info.data_sha256.empty() || info.data_sha256 == source.sha256) return;
  progress.Say(
      absl::StrCat("warning: the checkpoint was trained with other data than it is tested "
                   "on here: ",
                   info.data_description, " there, ", source.description, " here; its seed is ",
                   info.seed, ", its preset ", info.preset));
}

// Where an evaluation's results go; nothing without --out_dir.
absl::StatusOr<std::optional<RunDirectory>> EvaluationDirectory(const Options& options) {
  if (options.out_dir.empty()) return std::nullopt;
  std::error_code error;
  const std::filesystem::path checkpoint = options.checkpoint;
  if (std::filesystem::equivalent(checkpoint.parent_path(), options.out_dir, error)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--out_dir=", options.out_dir,
                     " is the folder of the checkpoint's own run, which would be moved aside; name "
                     "another"));
  }
  ASSIGN_OR_RETURN(RunDirectory run, RunDirectory::Create(options.out_dir));
  return std::optional<RunDirectory>(std::move(run));
}

}  // namespace

absl::StatusOr<Outcome> RunEvaluation(const Session& session, const Options& options,
                                      Progress& progress) {
  ASSIGN_OR_RETURN(const Checkpoint checkpoint, LoadCheckpoint(options.checkpoint));
  const CheckpointInfo& info = checkpoint.info;
  SequenceClassifier model = MakeModel(session.experiment, session.data.shape, session.device);
  RETURN_IF_ERROR(RestoreInto(model, checkpoint, session, options));
  ASSIGN_OR_RETURN(const std::optional<RunDirectory> run, EvaluationDirectory(options));
  SayChoices(session, progress);
  WarnOfOtherData(info, session.data.source, progress);
  const InferenceCost cost = MeasureInference(model, BatchMaker(session.data.test, session.device),
                                              session.experiment.hyper_parameters.batch_size,
                                              session.experiment.precision);
  // Before the test, whose batches may be larger.
  const PeakMemory peak = GetPeakMemory(session.device);
  ASSIGN_OR_RETURN(const std::optional<Evaluation> tested,
                   Test(
                       session, model, [] { return false; }, AloneGroup(), progress));
  const Evaluation& test = *tested;
  progress.Say(absl::StrFormat("%s, loss %.3f", TestLine(test, info), test.loss));
  progress.Say(absl::StrFormat("%.3g ms a batch of %d, %.0f MiB", cost.batch_ms, cost.batch_size,
                               peak.used_mib));
  if (!run.has_value()) return Outcome::kFinished;
  RETURN_IF_ERROR(run->WriteJson(kManifestFileName, ManifestOf(session, options)));
  RETURN_IF_ERROR(
      run->WriteJson(kEvaluationFileName, {{"checkpoint", options.checkpoint},
                                           {"step", info.step},
                                           {"phase", std::string(PhaseName(info.phase))},
                                           {"test_accuracy", test.accuracy},
                                           {"test_loss", test.loss},
                                           {"test_examples", test.examples},
                                           {"batch_size", cost.batch_size},
                                           {"batch_ms", cost.batch_ms},
                                           {"peak_memory_mib", peak.used_mib},
                                           {"peak_reserved_mib", peak.reserved_mib}}));
  return Outcome::kFinished;
}

}  // namespace spion
