#include "spion/run/journal.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "spion/base/file.h"
#include "spion/base/read_file.h"
#include "spion/base/sha256.h"
#include "spion/base/status.h"
#include "spion/base/utf8.h"
#include "spion/pattern/draw.h"
#include "spion/pattern/pattern_json.h"
#include "spion/pattern/patterns_file.h"
#include "spion/train/safetensors.h"

namespace spion {
namespace {

using Json = nlohmann::ordered_json;

// The logs; and names in a state: of how many bytes of each go with it, and of their digest.
struct LogOfRun {
  const char* file;
  const char* bytes;
  const char* sha256;
};
constexpr std::array kLogs = {
    LogOfRun{kMetricsFileName, "journal.metrics_bytes", "journal.metrics_sha256"},
    LogOfRun{kMlLogFileName, "journal.ml_log_bytes", "journal.ml_log_sha256"}};
constexpr char kLogError[] = "journal.log_error";

constexpr char kLimitFlag[] = "dense_step_limit";

// With as many decimals, from one on, as show on which side of the limit the change is.
std::string PercentText(double change, double limit) {
  constexpr int kMostDecimals = 6;
  int decimals = 1;
  std::string text = absl::StrFormat("%.1f", change);
  double shown = 0;
  while (absl::SimpleAtod(text, &shown) && (shown < limit) != (change < limit) &&
         decimals < kMostDecimals) {
    text = absl::StrFormat("%.*f", ++decimals, change);
  }
  return text + " %";
}

std::string PercentTexts(const std::vector<double>& changes, int64_t limit) {
  return absl::StrJoin(changes, "  ", [limit](std::string* out, double change) {
    absl::StrAppend(out, PercentText(change, static_cast<double>(limit)));
  });
}

std::string NameOf(Phase phase) { return std::string(PhaseName(phase)); }

// What mllog.txt says with every event.
Json Metadata(const TrainingPosition& at) {
  return {{"samples_count", at.samples},
          {"epoch_num", at.epochs},
          {"step_num", at.step},
          {"phase", NameOf(at.phase)}};
}

// Of the file's first bytes.
absl::StatusOr<std::string> DigestOfStart(const FilePlace& place, int64_t bytes) {
  Sha256 hash;
  RETURN_IF_ERROR(ReadFilePieces(place, [&](absl::string_view piece) {
    piece = piece.substr(0, bytes);
    hash.Update(piece);
    bytes -= static_cast<int64_t>(piece.size());
    return absl::OkStatus();
  }));
  return hash.HexDigest();
}

// DataLoss if these bytes of a log are others than those that the state goes with; a state of an
// earlier version does not tell.
absl::Status CheckStart(const FilePlace& place, int64_t bytes, const char* sha256,
                        const TrainingState& state) {
  if (!state.HasValue(sha256)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string expected, state.Value<std::string>(sha256));
  ASSIGN_OR_RETURN(const std::string found, DigestOfStart(place, bytes));
  if (found == expected) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(place.path(),
                                          " was changed after the state was saved: its first ",
                                          bytes, " bytes are not those that the run wrote"));
}

std::vector<int64_t> KeptBlocks(const Capture& capture) {
  std::vector<int64_t> kept;
  for (const BlockPattern& pattern : capture.patterns) kept.push_back(pattern.kept_blocks());
  return kept;
}

}  // namespace

std::string ModelFileName(SavedModel which, Phase phase) {
  switch (which) {
    case SavedModel::kBest:
      return phase == Phase::kSingle ? "best.safetensors"
                                     : absl::StrCat("best_", PhaseName(phase), ".safetensors");
    case SavedModel::kLast:
      return "last.safetensors";
    case SavedModel::kInterrupted:
      return "interrupted.safetensors";
  }
  return "";
}

void RunJournal::Logged(const absl::Status& status) {
  has_news_ = true;
  if (status.ok() || !log_error_.ok()) return;
  log_error_ = status;
  SayLogError(status);
}

void RunJournal::SayLogError(const absl::Status& status) {
  progress_.Say(absl::StrCat("warning: ", status.message(),
                             "; training goes on, and its logs are not whole"));
}

void RunJournal::Metric(const Json& metric) { Logged(run_.AppendMetric(metric)); }

absl::Status RunJournal::OnStart(const TrainingPosition& at) {
  Logged(ml_log_.Start("run_start", Metadata(at)));
  return absl::OkStatus();
}

absl::Status RunJournal::OnResume(const TrainingPosition& at) {
  progress_.Say(
      absl::StrCat("goes on after step ", at.step, " of ", experiment_.hyper_parameters.steps));
  Logged(ml_log_.Point("spion_resumed", at.step, Metadata(at)));
  return absl::OkStatus();
}

absl::Status RunJournal::OnBlockStart(const TrainingPosition& at) {
  Logged(ml_log_.Start("block_start", Metadata(at)));
  return absl::OkStatus();
}

absl::Status RunJournal::OnReport(const TrainingPosition& at, const TrainingReport& report) {
  progress_.Step(
      {.step = at.step,
       .steps = report.steps,
       .phase = at.phase,
       .loss = report.loss,
       .accuracy = report.accuracy,
       .steps_per_second = 1e3 / report.last_step_ms,
       .seconds_left = static_cast<double>(report.steps - at.step) * report.last_step_ms / 1e3});
  Metric({{"kind", "train"},
          {"step", at.step},
          {"phase", NameOf(at.phase)},
          {"loss", report.loss},
          {"accuracy", report.accuracy},
          {"learning_rate", report.learning_rate},
          {"step_ms", report.step_ms.has_value() ? Json(*report.step_ms) : Json(nullptr)}});
  Logged(ml_log_.Point("train_loss", report.loss, Metadata(at)));
  Json stats = {{"train_accuracy", report.accuracy}, {"learning_rate", report.learning_rate}};
  if (report.samples_per_second.has_value()) stats["throughput"] = *report.samples_per_second;
  Logged(ml_log_.Point("tracked_stats", stats, Metadata(at)));
  return absl::OkStatus();
}

absl::Status RunJournal::OnBlockEnd(const TrainingPosition& at) {
  Logged(ml_log_.Stop("block_stop", Metadata(at)));
  return absl::OkStatus();
}

absl::Status RunJournal::OnEvaluationStart(const TrainingPosition& at) {
  Logged(ml_log_.Start("eval_start", Metadata(at)));
  return absl::OkStatus();
}

void RunJournal::OnEvaluated(const TrainingPosition& at, int64_t done, int64_t examples) {
  progress_.Evaluated(absl::StrCat("dev at step ", at.step), done, examples);
}

absl::Status RunJournal::OnEvaluation(const TrainingPosition& at, const Evaluation& dev) {
  Logged(ml_log_.Point("eval_accuracy", dev.accuracy, Metadata(at)));
  Logged(ml_log_.Point("eval_loss", dev.loss, Metadata(at)));
  Logged(ml_log_.Stop("eval_stop", Metadata(at)));
  progress_.Say(absl::StrFormat("dev at step %d: accuracy %.1f %%, loss %.3f (%s%d examples)",
                                at.step, 100 * dev.accuracy, dev.loss, PhaseText(at.phase, ", "),
                                dev.examples));
  Json metric = {{"kind", "dev"},    {"step", at.step},          {"phase", NameOf(at.phase)},
                 {"loss", dev.loss}, {"accuracy", dev.accuracy}, {"examples", dev.examples}};
  if (!dev.pruned_share.empty()) metric["pruned_share"] = dev.pruned_share;
  Metric(metric);
  return absl::OkStatus();
}

absl::Status RunJournal::OnCapture(const TrainingPosition& at, const Capture& capture) {
  const HyperParameters& h = experiment_.hyper_parameters;
  std::string message = absl::StrCat("capture ", capture.index, " at step ", capture.step);
  if (!capture.change_percent.empty()) {
    absl::StrAppend(&message, ": distances between attention maps changed by ",
                    PercentTexts(capture.change_percent, h.transition_limit_percent),
                    " (settled below ", h.transition_limit_percent, " %)");
  }
  progress_.Say(message);
  Metric({{"kind", "capture"},
          {"step", capture.step},
          {"capture", capture.index},
          {"distance", capture.distance},
          {"change_percent", capture.change_percent},
          {"settled", capture.settled}});
  return capture.transition ? WriteTransition(at, capture) : absl::OkStatus();
}

absl::Status RunJournal::WriteTransition(const TrainingPosition& at, const Capture& capture) {
  progress_.Say(capture.settled
                    ? "the maps have settled: the sparse phase begins"
                    : absl::StrCat("the limit of ", experiment_.hyper_parameters.dense_step_limit,
                                   " dense steps, ",
                                   experiment_.IsGiven(kLimitFlag) ? absl::StrCat("--", kLimitFlag)
                                                                   : "the preset's",
                                   ", is reached: the sparse phase begins, though the maps have "
                                   "not settled"));
  for (size_t l = 0; l < capture.patterns.size(); ++l) {
    const BlockPattern& pattern = capture.patterns[l];
    progress_.Say(absl::StrFormat("layer %d keeps %d of %d blocks of %d x %d:\n%s", l,
                                  pattern.kept_blocks(), pattern.total_blocks(),
                                  pattern.block_size(), pattern.block_size(), Draw(pattern)));
  }
  const std::vector<int64_t> kept = KeptBlocks(capture);
  Metric({{"kind", "transition"},
          {"step", capture.step},
          {"settled", capture.settled},
          {"kept_blocks", kept},
          {"pattern_search_ms", capture.pattern_search_ms}});
  Logged(ml_log_.Point("spion_transition",
                       {{"settled", capture.settled},
                        {"kept_blocks", kept},
                        {"pattern_search_ms", capture.pattern_search_ms}},
                       Metadata(at)));
  RETURN_IF_ERROR(WriteMaps(capture));
  if (experiment_.keep_maps) RETURN_IF_ERROR(WriteWholeMaps(capture));
  return WritePatterns(capture.patterns, capture.step);
}

absl::Status RunJournal::WritePatterns(absl::Span<const BlockPattern> patterns,
                                       std::optional<int64_t> transition_step) const {
  return run_.WriteJson(
      kPatternsFileName,
      {{"task", experiment_.task},
       {"method", experiment_.method.name},
       {"transition_step", transition_step.has_value() ? Json(*transition_step) : Json(nullptr)},
       {"layers", PatternsToJson(patterns)}});
}

absl::Status RunJournal::WriteMaps(const Capture& capture) const {
  std::vector<Json> layers;
  for (const BlockScores& map : capture.pooled_maps) {
    std::vector<std::vector<double>> rows;
    for (auto row = map.values.begin(); row != map.values.end(); row += map.side) {
      rows.emplace_back(row, row + map.side);
    }
    layers.push_back({{"mean_of_block", rows}});
  }
  return run_.WriteJson("attention_maps.json",
                        {{"task", experiment_.task},
                         {"method", experiment_.method.name},
                         {"step", capture.step},
                         {"block_size", experiment_.hyper_parameters.block_size},
                         {"layers", layers}});
}

absl::Status RunJournal::WriteWholeMaps(const Capture& capture) const {
  TensorFile file;
  for (size_t l = 0; l < capture.maps.size(); ++l) {
    file.tensors[absl::StrCat("layer.", l)] = capture.maps[l];
  }
  return SaveTensors(run_.File("attention_maps.safetensors"), file);
}

absl::Status RunJournal::OnModel(SavedModel which, const Checkpoint& checkpoint) {
  return SaveCheckpoint(run_.File(ModelFileName(which, checkpoint.info.phase)), checkpoint);
}

void RunJournal::OnMark() {
  if (!has_news_) return;
  for (size_t log = 0; log < kLogs.size(); ++log) {
    const absl::StatusOr<int64_t> size = FileSize(run_.File(kLogs[log].file));
    if (size.ok()) log_bytes_[log] = *size;
    if (!size.ok() && !absl::IsNotFound(size.status())) Logged(size.status());
  }
  has_news_ = false;
}

absl::Status RunJournal::OnState(const TrainingPosition& at, StateReason reason,
                                 TrainingState& state) {
  for (size_t log = 0; log < kLogs.size(); ++log) {
    const FilePlace place = run_.File(kLogs[log].file);
    state.PutValue(kLogs[log].bytes, log_bytes_[log]);
    if (log_bytes_[log] > 0) {
      const absl::StatusOr<std::string> digest = DigestOfStart(place, log_bytes_[log]);
      if (digest.ok()) state.PutValue(kLogs[log].sha256, *digest);
      Logged(digest.status());
    }
    Logged(FlushFile(place));  // A state must not be ahead of the logs that it goes with.
  }
  state.PutValue(kLogError, ToUtf8(log_error_.message()));  // it names a path
  absl::Status saved = SaveState(run_.File(kStateFileName), state);
  if (saved.ok()) saved_step_ = at.step;
  if (saved.ok() || reason == StateReason::kStop) return saved;
  progress_.Say(
      absl::StrCat("warning: the state at step ", at.step, " is not saved: ", saved.message()));
  return absl::OkStatus();
}

absl::Status RunJournal::CutLogsBack(const TrainingState& state) {
  ASSIGN_OR_RETURN(const std::string log_error, state.Value<std::string>(kLogError));
  if (!log_error.empty()) log_error_ = absl::DataLossError(log_error);
  for (const LogOfRun& log : kLogs) {
    const FilePlace place = run_.File(log.file);
    ASSIGN_OR_RETURN(const int64_t bytes, state.Value<int64_t>(log.bytes));
    absl::Status cut = CutFile(place, bytes);
    if (absl::IsNotFound(cut) && bytes == 0) continue;  // it begins with its first line
    if (cut.ok() && bytes > 0) cut = CheckStart(place, bytes, log.sha256, state);
    // Lines that were lost with the machine, or changed: the training itself is whole.
    if (!absl::IsDataLoss(cut) && !absl::IsNotFound(cut)) {
      RETURN_IF_ERROR(cut);
      continue;
    }
    SayLogError(cut);
    // With what was wrong before: each log, and each part of a run, has its own.
    log_error_ = absl::DataLossError(
        log_error_.ok() ? cut.message() : absl::StrCat(log_error_.message(), "; ", cut.message()));
  }
  return absl::OkStatus();
}

absl::Status RunJournal::OnTrace(const TrainingPosition& at, const TraceOptions& trace,
                                 const absl::Status& written) {
  progress_.Say(
      written.ok()
          ? absl::StrCat("trace of steps ", trace.first_step, " to ", at.step, ": ", trace.path)
          : absl::StrCat("warning: ", written.message(), "; training goes on, without the trace"));
  return absl::OkStatus();
}

absl::Status RunJournal::OnEnd(const TrainingPosition& at, bool all_steps_done) {
  Json metadata = Metadata(at);
  metadata["status"] = all_steps_done ? "success" : "aborted";
  Logged(ml_log_.Stop("run_stop", metadata));
  return absl::OkStatus();
}

void RunJournal::LogTest(const CheckpointInfo& tested, const Evaluation& test) {
  Logged(ml_log_.Point(
      "test_accuracy", test.accuracy,
      {{"step_num", tested.step}, {"phase", NameOf(tested.phase)}, {"examples", test.examples}}));
}

absl::StatusOr<Checkpoint> RunJournal::LoadBest(const TrainingResult& result) const {
  const FilePlace place = run_.File(ModelFileName(SavedModel::kBest, result.best.phase));
  ASSIGN_OR_RETURN(Checkpoint checkpoint, LoadCheckpoint(place));
  const auto text = [](absl::string_view task, absl::string_view method, uint64_t seed,
                       int64_t step, Phase phase) {
    return absl::StrCat(task, " ", method, ", seed ", seed, ", step ", step, ", ", PhaseName(phase),
                        " phase");
  };
  const CheckpointInfo& info = checkpoint.info;
  const std::string found = text(info.task, info.method, info.seed, info.step, info.phase);
  const std::string saved = text(experiment_.task, experiment_.method.name, experiment_.seed,
                                 result.best.step, result.best.phase);
  if (found == saved) return checkpoint;
  return absl::FailedPreconditionError(
      absl::StrCat(place.path(), " is a checkpoint of ", found, "; this run saved one of ", saved,
                   " there: another program has written into its folder"));
}

}  // namespace spion
