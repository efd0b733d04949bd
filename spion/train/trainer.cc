#include "spion/train/trainer.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "spion/base/random.h"
#include "spion/base/status.h"
#include "spion/train/evaluation.h"
#include "spion/train/model_patterns.h"
#include "spion/train/random_streams.h"
#include "spion/train/sharing.h"
#include "spion/train/training.h"
#include "spion/train/weights_agree.h"

namespace spion {
namespace {

constexpr int64_t kReportsPerRun = 50;
constexpr int64_t kMostStepsAReport = 50;

PhaseOptions PhaseOptionsFor(const Experiment& experiment) {
  const HyperParameters& h = experiment.hyper_parameters;
  GeneratorOptions generator;
  generator.kind = experiment.method.pattern_kind.value_or(PatternKind::kCF);
  generator.block_size = static_cast<int>(h.block_size);
  generator.density = h.density;
  generator.threshold = h.threshold;
  std::optional<uint64_t> shuffle_seed;
  if (h.shuffled_pattern) shuffle_seed = DeriveSeed(experiment.seed, kShuffleStream);
  std::vector<BlockPattern> patterns;
  if (experiment.patterns.has_value()) patterns = experiment.patterns->layers;
  return {.capture_interval = h.capture_interval,
          .transition_limit_percent = static_cast<int>(h.transition_limit_percent),
          .dense_step_limit = h.dense_step_limit,
          .shared_pattern = h.shared_pattern && patterns.empty(),
          .patterns = std::move(patterns),
          .shuffle_seed = shuffle_seed,
          .generator = generator};
}

Region StepRegion(Phase phase) {
  switch (phase) {
    case Phase::kDense:
      return Region::kDenseStep;
    case Phase::kSparse:
      return Region::kSparseStep;
    case Phase::kSingle:
      break;
  }
  return Region::kSingleStep;
}

}  // namespace

Training::Training(const Experiment& experiment, const TaskData& data, SequenceClassifier& model,
                   TrainingEvents& events, const TrainingOptions& options)
    : experiment_(experiment),
      h_(experiment.hyper_parameters),
      source_(data.source),
      model_(model),
      events_(events),
      options_(options),
      dev_batches_(data.dev, model.parameters().device()),
      group_(*options.group),
      stop_(group_),
      step_(experiment, model, data.train, group_),
      phases_(SpionLayers(model), PhaseOptionsFor(experiment), group_),
      schedule_(h_.learning_rate, h_.warmup_steps, h_.steps),
      report_interval_(std::clamp<int64_t>(h_.steps / kReportsPerRun, 1, kMostStepsAReport)),
      timer_(model.parameters().device()) {
  for (SpionAttention* layer : SpionLayers(model)) {
    layer->set_pruned_score(experiment.pruned_score());
  }
  phase_range_.emplace(phases_.phase() == Phase::kSingle ? Region::kSinglePhase
                                                         : Region::kDensePhase);
}

absl::Status Training::NoLongerFinite(absl::string_view what, int64_t step) {
  is_whole_ = false;
  return absl::InternalError(
      absl::StrCat(what, " is no longer finite at step ", step,
                   "; a lower learning rate or another seed may help (see metrics.jsonl)"));
}

TrainingPosition Training::At(int64_t step) const {
  const int64_t samples = step * h_.batch_size;
  return {.step = step,
          .samples = samples,
          .epochs = static_cast<double>(samples) / static_cast<double>(step_.examples()),
          .phase = phases_.phase()};
}

double Training::Seconds() const {
  return seconds_before_ + std::chrono::duration<double>(Clock::now() - start_).count();
}

double Training::LearningRate(int64_t step) const {
  const int64_t begun = h_.continued_schedule ? 0 : result_.transition_step.value_or(0);
  return schedule_.At(step - 1 - begun);
}

void Training::Step(int64_t step) {
  const ProfileRange range(StepRegion(phases_.phase()));
  if (phases_.IsCaptureStep(step)) {
    // By a pass that keeps nothing for a backward pass; so the step is the one that was recorded.
    phases_.BeforeForward(step);
    step_.Look(step);
    phases_.TakeMaps(step);
  }
  if (IsTraced()) {
    step_.RunUnrecorded(step, LearningRate(step));
  } else {
    step_.Run(step, LearningRate(step), phases_.generation());
  }
  timer_.CountStep();
}

void Training::StartTraceAt(int64_t step) {
  if (options_.trace == nullptr || !options_.trace->StartsAt(step)) return;
  timer_.Close(phases_.phase(), /*counts=*/true);
  step_.DropRecording();  // traced steps have memory of their own
  options_.trace->Start();
  timer_.Start();
}

// Also ends a trace that would go on beyond the last step.
absl::Status Training::WriteTraceAfter(int64_t step) {
  if (!IsTraced()) return absl::OkStatus();
  if (!options_.trace->EndsAt(step) && step < h_.steps && !result_.interrupted) {
    return absl::OkStatus();
  }
  timer_.Close(phases_.phase(), /*counts=*/false);
  const absl::Status written = options_.trace->Write();
  RETURN_IF_ERROR(events_.OnTrace(At(step), options_.trace->options(), written));
  timer_.Start();
  return absl::OkStatus();
}

absl::Status Training::Report(int64_t step) {
  timer_.Close(phases_.phase(), /*counts=*/!IsTraced());
  const TrainingStep::Means means = step_.TakeMeans();
  if (!std::isfinite(means.loss)) return NoLongerFinite("the loss", step);
  TrainingReport report = {.steps = h_.steps,
                           .loss = means.loss,
                           .accuracy = means.accuracy,
                           .learning_rate = LearningRate(step),
                           .step_ms = timer_.TakeNewestMs(),
                           .samples_per_second = std::nullopt,
                           .last_step_ms = timer_.step_ms()};
  if (report.step_ms.has_value()) {
    report.samples_per_second = 1e3 * static_cast<double>(h_.batch_size) / *report.step_ms;
  }
  return events_.OnReport(At(step), report);
}

// A report's losses are those before the last update.
absl::Status Training::CheckWeights(int64_t step) {
  const std::string name = NotFiniteWeight(model_);
  return name.empty() ? absl::OkStatus() : NoLongerFinite(absl::StrCat("the weight ", name), step);
}

Checkpoint Training::Take(int64_t step, double dev_accuracy) const {
  return TakeCheckpoint({.task = experiment_.task,
                         .method = experiment_.method.name,
                         .preset = std::string(PresetName(experiment_.preset)),
                         .seed = experiment_.seed,
                         .step = step,
                         .dev_accuracy = dev_accuracy,
                         .phase = phases_.phase(),
                         .patterns = CurrentPatterns(model_),
                         .data_description = source_.description,
                         .data_sha256 = source_.sha256,
                         .pruned_score = experiment_.pruned_score()},
                        model_);
}

// Leaves it owed if it is to stop.
absl::Status Training::EvaluateDev(int64_t step) {
  RETURN_IF_ERROR(CheckWeights(step));
  const absl::Status agreed = CheckWeightsAgree(model_, step, group_);
  is_whole_ = is_whole_ && agreed.ok();
  RETURN_IF_ERROR(agreed);
  RETURN_IF_ERROR(events_.OnEvaluationStart(At(step)));
  const int64_t examples = EvaluatedExamples(dev_batches_.examples(), h_.dev_examples);
  const auto stops_after = [&](int64_t done) {
    events_.OnEvaluated(At(step), done, examples);
    return group_.Any(options_.stop_requested());
  };
  const std::optional<Evaluation> dev =
      EvaluateUnlessStopped(model_, dev_batches_, h_.evaluation_batch_size(), h_.dev_examples,
                            experiment_.precision, stops_after, group_);
  if (!dev.has_value()) return absl::OkStatus();
  if (!std::isfinite(dev->loss)) return NoLongerFinite("the loss on the dev set", step);
  RETURN_IF_ERROR(events_.OnEvaluation(At(step), *dev));
  if (dev->accuracy > best_dev_accuracy_) {
    Checkpoint best = Take(step, dev->accuracy);
    RETURN_IF_ERROR(events_.OnModel(SavedModel::kBest, best));
    best_dev_accuracy_ = dev->accuracy;
    result_.best = {.step = step, .phase = phases_.phase(), .dev_accuracy = dev->accuracy};
    best_ = std::move(best);
  }
  owes_evaluation_ = false;
  events_.OnMark();
  return absl::OkStatus();
}

absl::Status Training::HandleCapture(const Capture& capture) {
  is_whole_ = false;  // half told, until the event is over
  owes_capture_ = false;
  if (capture.transition) {
    result_.transition_step = capture.step;
    result_.settled = capture.settled;
    result_.patterns = capture.patterns;
    best_dev_accuracy_ = -1;  // the sparse phase keeps a best of its own
    phase_range_.emplace(Region::kSparsePhase);
  }
  RETURN_IF_ERROR(events_.OnCapture(At(capture.step), capture));
  is_whole_ = true;
  events_.OnMark();
  return absl::OkStatus();
}

absl::Status Training::StartBlock() {
  is_in_block_ = true;
  return events_.OnBlockStart(Now());
}

absl::Status Training::EndBlock() {
  is_in_block_ = false;
  return events_.OnBlockEnd(Now());
}

absl::Status Training::NextStep() {
  const int64_t step = result_.steps + 1;
  const bool captures = phases_.IsCaptureStep(step);
  if (captures) timer_.Close(phases_.phase(), /*counts=*/!IsTraced());
  StartTraceAt(step);
  Step(step);
  result_.steps = step;
  options_.on_step(step);
  owes_capture_ = captures;
  owes_evaluation_ = step % h_.evaluation_interval == 0 || step == h_.steps;
  if (captures) timer_.Close(phases_.phase(), /*counts=*/false);
  if (step % report_interval_ == 0 || owes_evaluation_) RETURN_IF_ERROR(Report(step));
  if (owes_evaluation_) RETURN_IF_ERROR(EndBlock());
  events_.OnMark();
  return absl::OkStatus();
}

// What the step owes, and a state if one is due.
absl::Status Training::FinishStep() {
  const int64_t step = result_.steps;
  const bool pauses = owes_evaluation_ || owes_capture_;
  const bool was_dense = phases_.phase() == Phase::kDense;
  if (owes_evaluation_) RETURN_IF_ERROR(EvaluateDev(step));
  if (owes_capture_ && !owes_evaluation_) {
    ASSIGN_OR_RETURN(const std::optional<Capture> capture, phases_.AfterStep(step));
    RETURN_IF_ERROR(HandleCapture(*capture));
  }
  result_.interrupted = owes_evaluation_ || stop_.Next(options_.stop_requested());
  const bool ends = result_.interrupted || step == h_.steps;
  if (!ends && !is_in_block_) RETURN_IF_ERROR(StartBlock());
  if (!owes_evaluation_) events_.OnMark();
  if (pauses) timer_.Start();
  RETURN_IF_ERROR(WriteTraceAfter(step));
  if (ends) {
    RETURN_IF_ERROR(HandOutState(result_.interrupted ? StateReason::kStop : StateReason::kEnd));
  } else if (was_dense && phases_.phase() == Phase::kSparse) {
    RETURN_IF_ERROR(HandOutState(StateReason::kTransition));
  } else if (IsSaveDue()) {
    RETURN_IF_ERROR(HandOutState(StateReason::kInterval));
  }
  return ends && is_in_block_ ? EndBlock() : absl::OkStatus();
}

// In the logs a block is what is trained from one evaluation to the next.
absl::Status Training::Steps() {
  timer_.Start();
  if (owes_evaluation_ || owes_capture_) {
    RETURN_IF_ERROR(FinishStep());
  } else if (!is_in_block_ && result_.steps < h_.steps) {
    RETURN_IF_ERROR(StartBlock());
    events_.OnMark();
  }
  while (result_.steps < h_.steps && !result_.interrupted) {
    RETURN_IF_ERROR(NextStep());
    RETURN_IF_ERROR(FinishStep());
  }
  return absl::OkStatus();
}

absl::Status Training::Begin() {
  if (options_.state == nullptr) {
    ShareWeights(model_, group_);
    RETURN_IF_ERROR(events_.OnStart(At(0)));
    events_.OnMark();
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(RestoreFrom(*options_.state));
  ShareWeights(model_, group_);
  RETURN_IF_ERROR(events_.OnResume(Now()));
  if (best_.has_value()) RETURN_IF_ERROR(events_.OnModel(SavedModel::kBest, *best_));
  events_.OnMark();
  return absl::OkStatus();
}

absl::StatusOr<TrainingResult> Training::Run() {
  RETURN_IF_ERROR(Begin());
  absl::Status trained;
  try {
    trained = Steps();
  } catch (const RankLost&) {
    // A GPU may wait for the lost rank for ever, and so would what copies from it.
    if (model_.parameters().device().is_cpu()) TryToSave();
    events_.OnEnd(Now(), /*all_steps_done=*/false).IgnoreError();
    throw;
  } catch (...) {
    TryToSave();
    events_.OnEnd(Now(), /*all_steps_done=*/false).IgnoreError();
    throw;
  }
  if (!trained.ok()) TryToSave();
  const absl::Status told = events_.OnEnd(Now(), trained.ok() && !result_.interrupted);
  RETURN_IF_ERROR(trained);
  RETURN_IF_ERROR(told);
  phase_range_.reset();
  result_.train_seconds = Seconds();
  result_.step_ms = timer_.MedianStepMs(Phase::kSingle);
  result_.step_ms_dense = timer_.MedianStepMs(Phase::kDense);
  result_.step_ms_sparse = timer_.MedianStepMs(Phase::kSparse);
  if (step_.exchange_ms().has_value()) {
    for (const int64_t ns : group_.Gather(std::llround(1e6 * *step_.exchange_ms()))) {
      result_.exchange_ms.push_back(static_cast<double>(ns) / 1e6);
    }
  }
  result_.recorded = result_.recorded || step_.has_recorded();
  RETURN_IF_ERROR(CheckWeights(result_.steps));
  RETURN_IF_ERROR(
      events_.OnModel(result_.interrupted ? SavedModel::kInterrupted : SavedModel::kLast,
                      Take(result_.steps, result_.best.dev_accuracy)));
  return result_;
}

absl::StatusOr<TrainingResult> Train(const Experiment& experiment, const TaskData& data,
                                     SequenceClassifier& model, TrainingEvents& events,
                                     const TrainingOptions& options) {
  return Training(experiment, data, model, events, options).Run();
}

}  // namespace spion
