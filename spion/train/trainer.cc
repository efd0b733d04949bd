#include "spion/train/trainer.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "spion/base/random.h"
#include "spion/base/status.h"
#include "spion/pattern/draw.h"
#include "spion/profiling/range.h"
#include "spion/train/batches.h"
#include "spion/train/device.h"
#include "spion/train/evaluation.h"
#include "spion/train/interrupt.h"
#include "spion/train/mllog.h"
#include "spion/train/optimizer.h"
#include "spion/train/pattern_json.h"
#include "spion/train/recorder.h"
#include "spion/train/repeated_work.h"
#include "spion/train/schedule.h"
#include "spion/train/step_timer.h"

namespace spion {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kReportsARun = 50;
constexpr int64_t kMostStepsAReport = 50;

// Streams of random numbers, each with a seed of its own.
enum SeedIndex : uint64_t { kExampleOrder = 1, kTorch = 2 };

PhaseOptions PhaseOptionsFor(const Experiment& experiment) {
  const HyperParameters& h = experiment.hyper_parameters;
  GeneratorOptions generator;
  generator.kind = experiment.method.pattern_kind.value_or(PatternKind::kCF);
  generator.block_size = static_cast<int>(h.block_size);
  generator.density = h.density;
  generator.threshold = h.threshold;
  return {.capture_interval = h.capture_interval,
          .transition_limit_percent = h.transition_limit_percent,
          .dense_step_limit = h.dense_step_limit,
          .shared_pattern = h.shared_pattern,
          .generator = generator};
}

std::string Percents(const std::vector<double>& values) {
  return absl::StrJoin(values, "  ", [](std::string* out, double value) {
    absl::StrAppendFormat(out, "%.1f %%", value);
  });
}

absl::Status NoLongerFinite(absl::string_view what, int64_t step) {
  return absl::InternalError(
      absl::StrCat(what, " is no longer finite at step ", step,
                   "; a lower learning rate or another seed may help (see metrics.jsonl)"));
}

// The state of one run, and its loop.
class Run {
 public:
  Run(const Experiment& experiment, const TaskData& data, SequenceClassifier& model,
      const RunDirectory& directory, Progress& progress, Trace* trace)
      : experiment_(experiment),
        h_(experiment.hyper_parameters),
        model_(model),
        directory_(directory),
        ml_log_(directory.ml_log()),
        progress_(progress),
        trace_(trace),
        device_(model.parameters().device()),
        train_batches_(data.train, device_),
        dev_batches_(data.dev, device_),
        phases_(SpionLayers(model), PhaseOptionsFor(experiment)),
        optimizer_(model.parameters(), h_),
        schedule_(h_.learning_rate, h_.warmup_steps, h_.steps),
        order_(data.train.examples(), DeriveSeed(experiment.seed, kExampleOrder)),
        report_interval_(std::clamp<int64_t>(h_.steps / kReportsARun, 1, kMostStepsAReport)),
        loss_sum_(at::zeros({}, device_)),
        right_sum_(at::zeros({}, at::TensorOptions(at::kLong).device(device_))),
        step_work_(device_, experiment.cuda_graph ? FindRecorder(device_.type()) : nullptr) {
    for (SpionAttention* layer : SpionLayers(model)) layer->set_pruned_score(pruned_score());
  }

  absl::StatusOr<TrainingResult> Loop();

 private:
  PrunedScore pruned_score() const {
    return h_.excluded_pruned ? PrunedScore::kExcluded : PrunedScore::kZero;
  }
  Json Progressed(int64_t step) const;
  absl::Status TrainSteps();
  void NextBatch();
  at::Tensor ForwardLoss();
  void Learn();
  void TrainStep(int64_t step);
  void CloseWindow(bool timed);
  void StartTraceAt(int64_t step);
  absl::Status WriteTraceAfter(int64_t step);
  absl::Status Report(int64_t step);
  absl::Status CheckWeights(int64_t step) const;
  absl::Status EvaluateDev(int64_t step);
  absl::Status HandleCapture(const Capture& capture);
  absl::Status WriteMaps(const Capture& capture) const;
  absl::Status Save(absl::string_view name, int64_t step, double dev_accuracy) const;
  double LearningRate(int64_t step) const;
  int64_t RestartStep() const;

  const Experiment& experiment_;
  const HyperParameters& h_;
  SequenceClassifier& model_;
  const RunDirectory& directory_;
  const MlLog ml_log_;
  Progress& progress_;
  Trace* const trace_;
  const c10::Device device_;
  const BatchMaker train_batches_;
  const BatchMaker dev_batches_;
  PhaseController phases_;
  Optimizer optimizer_;
  OneCycleSchedule schedule_;
  ShuffledOrder order_;
  const int64_t report_interval_;
  StepTimer timer_;
  TrainingResult result_;

  Batch batch_;  // the step's; each step's in the same memory
  // Of the steps since the last report, on the device so that a step waits for nothing.
  at::Tensor loss_sum_;
  at::Tensor right_sum_;
  int64_t unreported_steps_ = 0;
  RepeatedWork step_work_;

  int64_t window_steps_ = 0;  // since the timer started
  double step_ms_ = 0;        // in the last window
  // Of the current phase.
  double best_dev_accuracy_ = -1;
  std::optional<ProfilePhase> phase_range_{Region::kDensePhase};
};

// The reference's schedule starts anew at the transition for all but SPION-F.
int64_t Run::RestartStep() const {
  const bool restarts =
      experiment_.method.pattern_kind != PatternKind::kF && !h_.continued_schedule;
  return restarts ? result_.transition_step.value_or(0) : 0;
}

double Run::LearningRate(int64_t step) const { return schedule_.At(step - 1 - RestartStep()); }

// What mllog.txt says of an event after `step`.
Json Run::Progressed(int64_t step) const {
  const int64_t samples = step * h_.batch_size;
  return {{"samples_count", samples},
          {"epoch_num", static_cast<double>(samples) / train_batches_.examples()},
          {"step_num", step},
          {"phase", std::string(PhaseName(phases_.phase()))}};
}

void Run::NextBatch() {
  const ProfileRange range(Region::kData);
  const std::vector<int64_t> examples = order_.Next(h_.batch_size);
  const Batch next = train_batches_.Make(examples);
  if (!batch_.ids.defined()) {
    batch_ = next;
    return;
  }
  batch_.ids.copy_(next.ids);
  batch_.labels.copy_(next.labels);
  if (batch_.lengths.has_value()) batch_.lengths->copy_(*next.lengths);
}

at::Tensor Run::ForwardLoss() {
  const ProfileRange range(Region::kForward);
  const AutocastScope autocast(experiment_.precision, device_);
  const at::Tensor logits = model_.Forward(batch_.ids, batch_.lengths, /*training=*/true);
  at::Tensor loss = at::cross_entropy_loss(logits, batch_.labels);
  loss_sum_.add_(loss.detach());
  right_sum_.add_(logits.detach().argmax(1).eq(batch_.labels).sum());
  return loss;
}

// What a step does on the device, reading nothing back.
void Run::Learn() {
  const at::Tensor loss = ForwardLoss();
  {
    const ProfileRange backward(Region::kBackward);
    loss.backward();
  }
  const ProfileRange optimizer(Region::kOptimizer);
  optimizer_.Step();
}

void Run::TrainStep(int64_t step) {
  const ProfileRange range(phases_.phase() == Phase::kDense ? Region::kDenseStep
                                                            : Region::kSparseStep);
  NextBatch();
  optimizer_.SetLearningRate(LearningRate(step));
  phases_.BeforeForward(step);
  const bool is_traced = trace_ != nullptr && trace_->is_running();  // part by part
  if (phases_.IsCaptureStep(step) || is_traced) {
    Learn();
  } else {
    step_work_.Run([this] { Learn(); });
  }
  ++unreported_steps_;
  ++window_steps_;
}

// Waits for the device and ends the timer's window of steps; it counts for the step time if
// `timed`, unless its steps were traced.
void Run::CloseWindow(bool timed) {
  if (window_steps_ == 0) return;
  WaitForDevice(device_);
  timed = timed && (trace_ == nullptr || !trace_->is_running());
  const double step_ms = timer_.Stop(phases_.phase(), std::exchange(window_steps_, 0), timed);
  if (timed || step_ms_ == 0) step_ms_ = step_ms;
  timer_.Start();
}

void Run::StartTraceAt(int64_t step) {
  if (trace_ == nullptr || !trace_->StartsAt(step)) return;
  CloseWindow(/*timed=*/true);
  step_work_.Forget();  // traced steps run as they are, with memory of their own
  trace_->Start();
  timer_.Start();
}

// Also ends a trace that would go on beyond the last step.
absl::Status Run::WriteTraceAfter(int64_t step) {
  if (trace_ == nullptr || !trace_->is_running()) return absl::OkStatus();
  if (!trace_->EndsAt(step) && step < h_.steps && !result_.interrupted) return absl::OkStatus();
  CloseWindow(/*timed=*/false);
  RETURN_IF_ERROR(trace_->Write());
  progress_.Say(absl::StrCat("trace of steps ", trace_->options().first_step, " to ", step, ": ",
                             trace_->options().path));
  timer_.Start();
  return absl::OkStatus();
}

// Says how the steps since the last report went.
absl::Status Run::Report(int64_t step) {
  CloseWindow(/*timed=*/true);
  const auto steps = static_cast<double>(std::exchange(unreported_steps_, 0));
  const double loss = loss_sum_.item<double>() / steps;
  const double accuracy = right_sum_.item<double>() / (steps * static_cast<double>(h_.batch_size));
  loss_sum_.zero_();
  right_sum_.zero_();
  if (!std::isfinite(loss)) return NoLongerFinite("the loss", step);
  progress_.Step({.step = step,
                  .steps = h_.steps,
                  .phase = phases_.phase(),
                  .loss = loss,
                  .accuracy = accuracy,
                  .steps_per_second = 1e3 / step_ms_,
                  .seconds_left = static_cast<double>(h_.steps - step) * step_ms_ / 1e3});
  RETURN_IF_ERROR(directory_.AppendMetric({{"kind", "train"},
                                           {"step", step},
                                           {"phase", std::string(PhaseName(phases_.phase()))},
                                           {"loss", loss},
                                           {"accuracy", accuracy},
                                           {"learning_rate", LearningRate(step)},
                                           {"step_ms", step_ms_}}));
  RETURN_IF_ERROR(ml_log_.Point("train_loss", loss, Progressed(step)));
  return ml_log_.Point("tracked_stats",
                       {{"throughput", 1e3 * static_cast<double>(h_.batch_size) / step_ms_},
                        {"train_accuracy", accuracy},
                        {"learning_rate", LearningRate(step)}},
                       Progressed(step));
}

absl::Status Run::Save(absl::string_view name, int64_t step, double dev_accuracy) const {
  return SaveCheckpoint(directory_.File(name),
                        {.task = experiment_.task,
                         .method = experiment_.method.name,
                         .preset = std::string(PresetName(experiment_.preset)),
                         .seed = experiment_.seed,
                         .step = step,
                         .dev_accuracy = dev_accuracy,
                         .phase = phases_.phase(),
                         .patterns = CurrentPatterns(model_),
                         .pruned_score = pruned_score()},
                        model_);
}

// A report's losses are those before the last update.
absl::Status Run::CheckWeights(int64_t step) const {
  const std::string name = NotFiniteWeight(model_);
  return name.empty() ? absl::OkStatus() : NoLongerFinite(absl::StrCat("the weight ", name), step);
}

absl::Status Run::EvaluateDev(int64_t step) {
  RETURN_IF_ERROR(CheckWeights(step));
  RETURN_IF_ERROR(ml_log_.Start("eval_start", Progressed(step)));
  const Evaluation dev = Evaluate(model_, dev_batches_, h_.evaluation_batch_size(), h_.dev_examples,
                                  experiment_.precision);
  if (!std::isfinite(dev.loss)) return NoLongerFinite("the loss on the dev set", step);
  RETURN_IF_ERROR(ml_log_.Point("eval_accuracy", dev.accuracy, Progressed(step)));
  RETURN_IF_ERROR(ml_log_.Point("eval_loss", dev.loss, Progressed(step)));
  RETURN_IF_ERROR(ml_log_.Stop("eval_stop", Progressed(step)));
  const std::string phase(PhaseName(phases_.phase()));
  progress_.Say(
      absl::StrFormat("dev at step %d: accuracy %.1f %%, loss %.3f (%s phase, %d examples)", step,
                      100 * dev.accuracy, dev.loss, phase, dev.examples));
  RETURN_IF_ERROR(directory_.AppendMetric({{"kind", "dev"},
                                           {"step", step},
                                           {"phase", phase},
                                           {"loss", dev.loss},
                                           {"accuracy", dev.accuracy},
                                           {"examples", dev.examples}}));
  if (dev.accuracy <= best_dev_accuracy_) return absl::OkStatus();
  best_dev_accuracy_ = dev.accuracy;
  const std::string name = absl::StrCat("best_", phase, ".safetensors");
  RETURN_IF_ERROR(Save(name, step, dev.accuracy));
  result_.best = {
      .name = name, .step = step, .phase = phases_.phase(), .dev_accuracy = dev.accuracy};
  return absl::OkStatus();
}

absl::Status Run::HandleCapture(const Capture& capture) {
  std::string message = absl::StrCat("capture ", capture.index, " at step ", capture.step);
  if (!capture.change_percent.empty()) {
    absl::StrAppend(&message, ": attention maps changed by ", Percents(capture.change_percent),
                    " (settled below ", h_.transition_limit_percent, " %)");
  }
  progress_.Say(message);
  RETURN_IF_ERROR(directory_.AppendMetric({{"kind", "capture"},
                                           {"step", capture.step},
                                           {"capture", capture.index},
                                           {"distance", capture.distance},
                                           {"change_percent", capture.change_percent},
                                           {"settled", capture.settled}}));
  if (!capture.transition) return absl::OkStatus();

  result_.transition_step = capture.step;
  result_.settled = capture.settled;
  result_.patterns = capture.patterns;
  step_work_.Forget();
  best_dev_accuracy_ = -1;  // the sparse phase keeps a best of its own
  phase_range_.emplace(Region::kSparsePhase);
  std::vector<nlohmann::json> patterns;
  std::vector<int64_t> kept;
  progress_.Say(capture.settled
                    ? "the maps have settled: the sparse phase begins"
                    : absl::StrCat("the preset's limit of ", h_.dense_step_limit,
                                   " dense steps is reached: the sparse phase begins, though the "
                                   "maps have not settled"));
  for (size_t l = 0; l < capture.patterns.size(); ++l) {
    const BlockPattern& pattern = capture.patterns[l];
    progress_.Say(absl::StrFormat("layer %d keeps %d of %d blocks of %d x %d:\n%s", l,
                                  pattern.kept_blocks(), pattern.total_blocks(),
                                  pattern.block_size(), pattern.block_size(), Draw(pattern)));
    patterns.push_back(PatternToJson(pattern));
    kept.push_back(pattern.kept_blocks());
  }
  RETURN_IF_ERROR(directory_.AppendMetric({{"kind", "transition"},
                                           {"step", capture.step},
                                           {"settled", capture.settled},
                                           {"kept_blocks", kept},
                                           {"pattern_search_ms", capture.pattern_search_ms}}));
  RETURN_IF_ERROR(ml_log_.Point("spion_transition",
                                {{"settled", capture.settled},
                                 {"kept_blocks", kept},
                                 {"pattern_search_ms", capture.pattern_search_ms}},
                                Progressed(capture.step)));
  RETURN_IF_ERROR(WriteMaps(capture));
  return directory_.WriteJson("patterns.json", {{"task", experiment_.task},
                                                {"method", experiment_.method.name},
                                                {"transition_step", capture.step},
                                                {"layers", patterns}});
}

// attention_maps.json: of each layer the map that its pattern was made from, as the mean of every
// block.
absl::Status Run::WriteMaps(const Capture& capture) const {
  std::vector<Json> layers;
  for (const BlockScores& map : capture.pooled_maps) {
    std::vector<std::vector<double>> rows;
    for (auto row = map.values.begin(); row != map.values.end(); row += map.side) {
      rows.emplace_back(row, row + map.side);
    }
    layers.push_back({{"mean_of_block", rows}});
  }
  return directory_.WriteJson("attention_maps.json", {{"task", experiment_.task},
                                                      {"method", experiment_.method.name},
                                                      {"step", capture.step},
                                                      {"block_size", h_.block_size},
                                                      {"layers", layers}});
}

// In mllog.txt a block is what is trained from one evaluation to the next.
absl::Status Run::TrainSteps() {
  const InterruptFlag interrupt;
  RETURN_IF_ERROR(ml_log_.Start("block_start", Progressed(0)));
  timer_.Start();
  for (int64_t step = 1; step <= h_.steps && !result_.interrupted; ++step) {
    const bool evaluates = step % h_.evaluation_interval == 0 || step == h_.steps;
    const bool captures = phases_.IsCaptureStep(step);
    if (captures) CloseWindow(/*timed=*/true);
    StartTraceAt(step);
    TrainStep(step);
    result_.steps = step;
    if (captures) CloseWindow(/*timed=*/false);
    if (step % report_interval_ == 0 || evaluates) RETURN_IF_ERROR(Report(step));
    if (evaluates) {
      RETURN_IF_ERROR(ml_log_.Stop("block_stop", Progressed(step)));
      RETURN_IF_ERROR(EvaluateDev(step));
    }
    ASSIGN_OR_RETURN(std::optional<Capture> capture, phases_.AfterStep(step));
    if (capture.has_value()) RETURN_IF_ERROR(HandleCapture(*capture));
    result_.interrupted = interrupt.raised();
    const bool ends = result_.interrupted || step == h_.steps;
    if (evaluates && !ends) RETURN_IF_ERROR(ml_log_.Start("block_start", Progressed(step)));
    if (ends && !evaluates) RETURN_IF_ERROR(ml_log_.Stop("block_stop", Progressed(step)));
    if (evaluates || captures) {
      window_steps_ = 0;
      timer_.Start();
    }
    RETURN_IF_ERROR(WriteTraceAfter(step));
  }
  return absl::OkStatus();
}

absl::StatusOr<TrainingResult> Run::Loop() {
  const auto start = std::chrono::steady_clock::now();
  RETURN_IF_ERROR(ml_log_.Start("run_start", Progressed(0)));
  const absl::Status trained = TrainSteps();
  Json outcome = Progressed(result_.steps);
  outcome["status"] = trained.ok() && !result_.interrupted ? "success" : "aborted";
  const absl::Status logged = ml_log_.Stop("run_stop", outcome);
  RETURN_IF_ERROR(trained);
  RETURN_IF_ERROR(logged);
  phase_range_.reset();
  result_.train_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result_.step_ms_dense = timer_.MedianStepMs(Phase::kDense);
  result_.step_ms_sparse = timer_.MedianStepMs(Phase::kSparse);
  result_.recorded = step_work_.has_recorded();
  RETURN_IF_ERROR(CheckWeights(result_.steps));
  RETURN_IF_ERROR(Save(result_.interrupted ? "interrupted.safetensors" : "last.safetensors",
                       result_.steps, result_.best.dev_accuracy));
  return result_;
}

}  // namespace

ModelConfig ModelConfigFor(const TaskShape& shape, const HyperParameters& hyper_parameters) {
  return {.vocabulary = shape.vocabulary,
          .classes = shape.classes,
          .length = shape.sequence_length,
          .sequences = shape.sequences_per_example,
          .layers = hyper_parameters.layers};
}

SequenceClassifier MakeModel(const Experiment& experiment, const TaskShape& shape,
                             c10::Device device) {
  at::manual_seed(DeriveSeed(experiment.seed, kTorch));
  return SequenceClassifier(ModelConfigFor(shape, experiment.hyper_parameters), device,
                            experiment.method.attention(device));
}

absl::Status TryModel(const Experiment& experiment, const TaskData& data, c10::Device device) {
  const c10::NoGradGuard no_grad;
  try {
    const SequenceClassifier model = MakeModel(experiment, data.shape, device);
    const std::vector<int64_t> first = {0};
    const Batch batch = BatchMaker(data.train, device, /*resident=*/false).Make(first);
    const AutocastScope autocast(experiment.precision, device);
    model.Forward(batch.ids, batch.lengths, /*training=*/false);
  } catch (const c10::OutOfMemoryError&) {
    throw;
  } catch (const c10::Error& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("the model cannot take this task: ", error.what_without_backtrace()));
  }
  return absl::OkStatus();
}

absl::StatusOr<TrainingResult> Train(const Experiment& experiment, const TaskData& data,
                                     SequenceClassifier& model, const RunDirectory& run,
                                     Progress& progress, Trace* trace) {
  return Run(experiment, data, model, run, progress, trace).Loop();
}

absl::StatusOr<Checkpoint> LoadBest(const Experiment& experiment, const TrainingResult& result,
                                    const RunDirectory& run) {
  const FilePlace place = run.File(result.best.name);
  ASSIGN_OR_RETURN(Checkpoint checkpoint, LoadCheckpoint(place));
  const auto text = [](absl::string_view task, absl::string_view method, uint64_t seed,
                       int64_t step, Phase phase) {
    return absl::StrCat(task, " ", method, ", seed ", seed, ", step ", step, ", ", PhaseName(phase),
                        " phase");
  };
  const CheckpointInfo& info = checkpoint.info;
  const std::string found = text(info.task, info.method, info.seed, info.step, info.phase);
  const std::string saved = text(experiment.task, experiment.method.name, experiment.seed,
                                 result.best.step, result.best.phase);
  if (found == saved) return checkpoint;
  return absl::FailedPreconditionError(
      absl::StrCat(place.path(), " is a checkpoint of ", found, "; this run saved one of ", saved,
                   " there: another program has written into its folder"));
}

}  // namespace spion
