#include "experiments/run_experiment.h"

#include <algorithm>
#include <exception>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "experiments/evaluation_command.h"
#include "experiments/failure_text.h"
#include "experiments/ranks.h"
#include "experiments/run_evaluation.h"
#include "experiments/run_place.h"
#include "experiments/run_trace.h"
#include "experiments/session.h"
#include "experiments/session_report.h"
#include "experiments/test_model.h"
#include "spion/base/file.h"
#include "spion/base/json_text.h"
#include "spion/base/shell_word.h"
#include "spion/base/status.h"
#include "spion/collective/rank_device.h"
#include "spion/collective/team.h"
#include "spion/pattern/patterns_file.h"
#include "spion/platform/device.h"
#include "spion/profiling/trace.h"
#include "spion/run/free_space.h"
#include "spion/run/interrupt.h"
#include "spion/run/journal.h"
#include "spion/run/mllog.h"
#include "spion/run/reports.h"
#include "spion/run/resume.h"
#include "spion/run/run_directory.h"
#include "spion/train/checkpoint.h"
#include "spion/train/evaluation.h"
#include "spion/train/model_patterns.h"
#include "spion/train/sharing.h"
#include "spion/train/trainer.h"

namespace spion {
namespace {

void SayRanks(const Session& session, const std::vector<RankPlace>& places, Progress& progress) {
  if (places.empty()) return;
  const auto name = [](std::string* text, const RankPlace& place) {
    absl::StrAppend(text, place.host, " (", place.device, ", ", place.device_name, ")");
  };
  progress.Say(absl::StrCat(
      places.size(), " ranks, each with ",
      session.experiment.hyper_parameters.batch_size / static_cast<int64_t>(places.size()),
      " examples of a batch: ", absl::StrJoin(places, ", ", name)));
}

// For who plans runs and must know what they would be made on.
Outcome TellManifest(const Session& session, const Options& options, Progress& progress) {
  SayChoices(session, progress);
  progress.Say(JsonText(ManifestOf(session, options)));
  return Outcome::kFinished;
}

// Tells the logs what begins, and writes the manifest.
absl::Status BeginRun(const RunDirectory& run, const Session& session,
                      const nlohmann::ordered_json& manifest) {
  const MlLog ml_log = run.ml_log();
  for (const char* name : {kMetricsFileName, kMlLogFileName}) {
    absl::Status cut = CutFile(run.File(name), 0);  // of a run that had saved no state
    if (!cut.ok() && !absl::IsNotFound(cut)) return cut;
  }
  RETURN_IF_ERROR(ml_log.Start("init_start", nlohmann::json::object(), session.start));
  RETURN_IF_ERROR(LogExperiment(ml_log, session.experiment, session.data, session.device));
  RETURN_IF_ERROR(run.WriteJson(kManifestFileName, manifest));
  return ml_log.Stop("init_stop");
}

Outcome Stopped(const RunDirectory& run, absl::string_view when, Progress& progress) {
  progress.Say(absl::StrCat("stopped ", when, "; the same command with --resume --out_dir=",
                            ShellWord(run.path()), " goes on"));
  return Outcome::kInterrupted;
}

// After training: the test of the best checkpoint, and the summary.
absl::StatusOr<Outcome> FinishRun(const Session& session, const RunDirectory& run,
                                  RunJournal& journal, const TrainingResult& result,
                                  const std::function<bool()>& stop_requested, Team& team,
                                  Progress& progress) {
  const Experiment& experiment = session.experiment;
  ASSIGN_OR_RETURN(const Checkpoint best, journal.LoadBest(result));
  // A model of its own, in the phase that the checkpoint was saved in.
  SequenceClassifier model = MakeModel(experiment, session.data.shape, session.device);
  RETURN_IF_ERROR(Restore(best, model));
  RETURN_IF_ERROR(ShareModel(model, team.group()));
  ASSIGN_OR_RETURN(const std::optional<Evaluation> test,
                   Test(session, model, stop_requested, team.group(), progress));
  if (!test.has_value()) return Stopped(run, "before the test was over", progress);
  journal.LogTest(best.info, *test);
  nlohmann::ordered_json summary =
      Summary(experiment, model.config(), result, *test, session.data.source, session.device);
  AddDenseAttention(experiment, session.data.shape, session.device, summary);
  AddRanks(team.places(), experiment.hyper_parameters, summary);
  AddExchange(result, summary);
  if (!journal.log_error().ok()) summary["log_error"] = journal.log_error().message();
  RETURN_IF_ERROR(run.WriteJson(kSummaryFileName, summary));
  RETURN_IF_ERROR(RemoveFile(run.File(kStateFileName)));
  progress.Say(absl::StrCat(
      TestLine(*test, best.info), session.data.source.generated ? ", on generated data" : "",
      "\ntrained in ", FormatDuration(result.train_seconds), "; results in ", run.path()));
  return Outcome::kFinished;
}

// Training as it is, or why memory did not suffice.
absl::StatusOr<TrainingResult> TrainWithinMemory(const Session& session, SequenceClassifier& model,
                                                 const RunDirectory& run, RunJournal& journal,
                                                 const TrainingOptions& options) {
  try {
    return Train(session.experiment, session.data, model, journal, options);
  } catch (const c10::OutOfMemoryError& error) {
    const bool has_state = FileSize(run.File(kStateFileName)).ok();
    return absl::ResourceExhaustedError(absl::StrFormat(
        "there is not enough memory for batches of %d: %.0f MiB were taken at most. A smaller "
        "--batch_size takes less; %s (%s)",
        session.experiment.hyper_parameters.batch_size, GetPeakMemory(session.device).used_mib,
        has_state ? "on a larger device the same command with --resume goes on"
                  : "no state was saved",
        error.what_without_backtrace()));
  }
}

// What a run may have on its disk at once: three models, a state of weights, AdamW's two sums, maps
// and the best model, twice, as it is written beside the one before; and logs.
int64_t MostBytes(const Session& session, const SequenceClassifier& model) {
  constexpr int64_t kLogs = int64_t{16} << 20;
  const int64_t length = session.data.shape.sequence_length;
  const int64_t weights = model.parameters().element_count();
  const int64_t maps = SpionLayers(model).empty() ? 0 : 2 * model.config().layers * length * length;
  return kLogs + static_cast<int64_t>(sizeof(float)) * (3 * weights + 2 * (4 * weights + maps));
}

// Of given patterns whose file is gone: they are in a state of the sparse phase, and nowhere else.
absl::Status LostPatterns(const Experiment& experiment) {
  return absl::NotFoundError(
      absl::StrCat("--patterns: ", experiment.patterns->path,
                   " is not there, and the run has saved no state of its sparse phase, which would "
                   "have its patterns"));
}

// The step of the state from which the earlier run goes on, with its logs as they were then.
absl::StatusOr<int64_t> GoOn(const RunDirectory& run, const Resumption& earlier, const Trace* trace,
                             RunJournal& journal, Group& group, Progress& progress) {
  RETURN_IF_ERROR(SayIfTraceIsLeftOut(trace, *earlier.state, progress));
  RETURN_IF_ERROR(journal.CutLogsBack(*earlier.state));
  RETURN_IF_ERROR(RemoveFile(run.File(ModelFileName(SavedModel::kInterrupted, Phase::kDense))));
  RETURN_IF_ERROR(run.WriteJson(kManifestFileName, earlier.manifest));
  ASSIGN_OR_RETURN(const int64_t step, StepOf(*earlier.state));
  ShareStart(RunStart::kGoesOn, group);
  ShareState(*earlier.state, group);
  return step;
}

// Training by one process, or rank 0's part in one by several.
absl::StatusOr<Outcome> LeadTraining(const Session& session, const Options& options,
                                     const nlohmann::ordered_json& manifest, Team& team,
                                     Progress& progress) {
  const Experiment& experiment = session.experiment;
  Group& group = team.group();
  SequenceClassifier model = MakeModel(experiment, session.data.shape, session.device);
  RETURN_IF_ERROR(CheckFreeSpace(session.out_dir, MostBytes(session, model)));
  ASSIGN_OR_RETURN(const std::unique_ptr<Trace> trace, MakeTrace(session, options));
  // Before anything is made or moved aside.
  if (experiment.has_lost_patterns() &&
      !FileSize(absl::StrCat(session.out_dir, "/", kPatternsFileName)).ok()) {
    return LostPatterns(experiment);
  }
  ASSIGN_OR_RETURN(const RunPlace place,
                   MakePlace(session.out_dir, options.resume, manifest, progress));
  SayChoices(session, progress);
  SayRanks(session, team.places(), progress);
  const RunDirectory& run = place.run;
  const Resumption& earlier = place.earlier;
  if (earlier.summary.has_value()) {
    RETURN_IF_ERROR(RemoveFile(run.File(kStateFileName)));  // it ended just before it could
    ShareStart(RunStart::kHasEnded, group);
    progress.Say(absl::StrCat("the run in ", run.path(), " has ended: its summary.json is there"));
    return Outcome::kFinished;
  }
  if (experiment.has_lost_patterns() &&
      !(earlier.state.has_value() && HasPatterns(*earlier.state))) {
    return LostPatterns(experiment);
  }
  RunJournal journal(experiment, run, progress);
  int64_t first_saved_step = -1;  // none
  if (earlier.state.has_value()) {
    ASSIGN_OR_RETURN(first_saved_step, GoOn(run, earlier, trace.get(), journal, group, progress));
  } else {
    RETURN_IF_ERROR(BeginRun(run, session, manifest));
    ShareStart(RunStart::kAnew, group);
  }
  if (const auto patterns = CurrentPatterns(model); !patterns.empty()) {
    RETURN_IF_ERROR(journal.WritePatterns(patterns, /*transition_step=*/std::nullopt));
  }
  progress.Say(absl::StrFormat("model: %d layers, %d weights", model.config().layers,
                               model.parameters().element_count()));
  // From here on a signal ends the training or the test, not the program.
  const InterruptFlag interrupt;
  const auto stop_requested = [&] { return interrupt.raised(); };
  const auto on_step = [&](int64_t step) {
    const int64_t saved = journal.saved_step().value_or(first_saved_step);
    // A CPU may save a later one when a rank is lost.
    const char* or_later = session.device.is_cpu() ? " or later" : "";
    team.Tell(step, saved < 0 ? ""
                              : absl::StrCat(run.File(kStateFileName).path(), " of step ", saved,
                                             or_later));
  };
  on_step(std::max<int64_t>(first_saved_step, 0));  // a rank may be lost before the next
  const absl::StatusOr<TrainingResult> trained =
      TrainWithinMemory(session, model, run, journal,
                        {.group = &group,
                         .trace = trace.get(),
                         .stop_requested = stop_requested,
                         .on_step = on_step,
                         .save_interval = options.save_interval,
                         .state = earlier.state.has_value() ? &*earlier.state : nullptr});
  if (!trained.ok()) {
    return earlier.state.has_value() ? UnusableState(trained.status(), run) : trained.status();
  }
  const TrainingResult& result = *trained;
  if (result.interrupted) {
    const std::string checkpoint =
        run.File(ModelFileName(SavedModel::kInterrupted, Phase::kDense)).path();
    const Outcome stopped = Stopped(run, absl::StrCat("at step ", result.steps), progress);
    progress.Say(
        absl::StrCat("  ", EvaluationCommand(experiment, options, session.data.shape, checkpoint),
                     "   # its model so far"));
    return stopped;
  }
  return FinishRun(session, run, journal, result, stop_requested, team, progress);
}

absl::StatusOr<Outcome> RunTraining(const Session& session, const Options& options, Team& team,
                                    Progress& progress) {
  RETURN_IF_ERROR(TryModel(session.experiment, session.data, session.device));
  const nlohmann::ordered_json manifest = ManifestOf(session, options, team.places());
  RETURN_IF_ERROR(CheckOneRun(manifest, team.group()));
  return team.group().leads() ? LeadTraining(session, options, manifest, team, progress)
                              : FollowTraining(session, team, progress);
}

absl::StatusOr<DeviceChoice> DeviceFor(const Options& options, const Launch& launch) {
  ASSIGN_OR_RETURN(DeviceChoice device, ChooseDevice(options.device));
  if (launch.ranks == 1) return device;
  ASSIGN_OR_RETURN(device.device,
                   DeviceOfRank(device.device, launch, VisibleDevices(device.device)));
  UseDevice(device.device);
  return device;
}

struct RankPlan {
  DeviceChoice device;
  Experiment experiment;
};

// Of this rank, before it meets the others; an error is what they are told.
absl::StatusOr<RankPlan> PlanRank(const Options& options, const Launch& launch) {
  try {
    ASSIGN_OR_RETURN(DeviceChoice device, DeviceFor(options, launch));
    ASSIGN_OR_RETURN(Experiment experiment, Plan(options, device, launch.ranks));
    return RankPlan{.device = std::move(device), .experiment = std::move(experiment)};
  } catch (...) {
    return absl::InternalError(FailureText(std::current_exception()));
  }
}

absl::StatusOr<Outcome> RunAsRank(const Options& options, const RankPlan& plan, Team& team,
                                  Progress& progress) {
  ASSIGN_OR_RETURN(const Session session,
                   Prepare(options, plan.device, plan.experiment, team.group().ranks()));
  switch (options.mode) {
    case Mode::kTrain:
      return RunTraining(session, options, team, progress);
    case Mode::kEval:
      return RunEvaluation(session, options, progress);
    default:  // kManifest
      return TellManifest(session, options, progress);
  }
}

}  // namespace

absl::StatusOr<Outcome> RunExperiment(const Options& options, const Launch& launch,
                                      Progress& progress) {
  if (launch.ranks > 1 && options.mode != Mode::kTrain) {
    return absl::InvalidArgumentError(
        absl::StrCat("only --mode=train runs in several processes, and this is one of ",
                     launch.ranks, ": start it by itself"));
  }
  const absl::StatusOr<RankPlan> plan = PlanRank(options, launch);
  ASSIGN_OR_RETURN(const std::unique_ptr<Team> team,
                   Team::Join(launch, plan.ok() ? absl::StatusOr<c10::Device>(plan->device.device)
                                                : absl::StatusOr<c10::Device>(plan.status())));
  absl::StatusOr<Outcome> outcome;
  try {
    outcome = RunAsRank(options, *plan, *team, progress);
    if (outcome.ok()) team->Leave();
  } catch (const RankLost& error) {
    team->Blame(error.what());
    throw;
  } catch (...) {
    team->Fail(FailureText(std::current_exception()));
    throw;
  }
  if (!outcome.ok()) team->Fail(std::string(outcome.status().message()));
  return outcome;
}

}  // namespace spion
