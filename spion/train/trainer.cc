#include "spion/train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "spion/base/status.h"
#include "spion/profiling/range.h"
#include "spion/train/batches.h"
#include "spion/train/checkpoint.h"
#include "spion/train/evaluation.h"
#include "spion/train/schedule.h"
#include "spion/train/step_timer.h"
#include "spion/train/training_step.h"

namespace spion {
namespace {

constexpr int64_t kReportsARun = 50;
constexpr int64_t kMostStepsAReport = 50;

PhaseOptions PhaseOptionsFor(const Experiment& experiment) {
  const HyperParameters& h = experiment.hyper_parameters;
  GeneratorOptions generator;
  generator.kind = experiment.method.pattern_kind.value_or(PatternKind::kCF);
  generator.block_size = static_cast<int>(h.block_size);
  generator.density = h.density;
  generator.threshold = h.threshold;
  return {.capture_interval = h.capture_interval,
          .transition_limit_percent = static_cast<int>(h.transition_limit_percent),
          .dense_step_limit = h.dense_step_limit,
          .shared_pattern = h.shared_pattern,
          .generator = generator};
}

absl::Status NoLongerFinite(absl::string_view what, int64_t step) {
  return absl::InternalError(
      absl::StrCat(what, " is no longer finite at step ", step,
                   "; a lower learning rate or another seed may help (see metrics.jsonl)"));
}

// The state of one training, and its loop.
class Training {
 public:
  Training(const Experiment& experiment, const TaskData& data, SequenceClassifier& model,
           TrainingEvents& events, const TrainingOptions& options)
      : experiment_(experiment),
        h_(experiment.hyper_parameters),
        model_(model),
        events_(events),
        trace_(options.trace),
        stop_requested_(options.stop_requested),
        dev_batches_(data.dev, model.parameters().device()),
        step_(experiment, model, data.train),
        phases_(SpionLayers(model), PhaseOptionsFor(experiment)),
        schedule_(h_.learning_rate, h_.warmup_steps, h_.steps),
        report_interval_(std::clamp<int64_t>(h_.steps / kReportsARun, 1, kMostStepsAReport)),
        timer_(model.parameters().device()) {
    for (SpionAttention* layer : SpionLayers(model)) {
      layer->set_pruned_score(experiment.pruned_score());
    }
  }

  absl::StatusOr<TrainingResult> Run();

 private:
  TrainingPosition At(int64_t step) const;
  double LearningRate(int64_t step) const;
  absl::Status Steps();
  void Step(int64_t step);
  void StartTraceAt(int64_t step);
  absl::Status WriteTraceAfter(int64_t step);
  bool IsTraced() const { return trace_ != nullptr && trace_->is_running(); }
  absl::Status Report(int64_t step);
  absl::Status CheckWeights(int64_t step) const;
  absl::Status EvaluateDev(int64_t step);
  absl::Status HandleCapture(const Capture& capture);
  absl::Status HandOut(SavedModel which, int64_t step, double dev_accuracy) const;

  const Experiment& experiment_;
  const HyperParameters& h_;
  SequenceClassifier& model_;
  TrainingEvents& events_;
  Trace* const trace_;
  const std::function<bool()> stop_requested_;
  const BatchMaker dev_batches_;
  TrainingStep step_;
  PhaseController phases_;
  OneCycleSchedule schedule_;
  const int64_t report_interval_;
  StepTimer timer_;
  TrainingResult result_;
  double best_dev_accuracy_ = -1;  // of the current phase
  std::optional<ProfilePhase> phase_range_{Region::kDensePhase};
};

TrainingPosition Training::At(int64_t step) const {
  const int64_t samples = step * h_.batch_size;
  return {.step = step,
          .samples = samples,
          .epochs = static_cast<double>(samples) / static_cast<double>(step_.examples()),
          .phase = phases_.phase()};
}

// The reference's schedule starts anew at the transition for all but SPION-F.
double Training::LearningRate(int64_t step) const {
  const bool restarts =
      experiment_.method.pattern_kind != PatternKind::kF && !h_.continued_schedule;
  return schedule_.At(step - 1 - (restarts ? result_.transition_step.value_or(0) : 0));
}

void Training::Step(int64_t step) {
  const ProfileRange range(phases_.phase() == Phase::kDense ? Region::kDenseStep
                                                            : Region::kSparseStep);
  phases_.BeforeForward(step);
  if (phases_.IsCaptureStep(step) || IsTraced()) {
    step_.RunUnrecorded(LearningRate(step));
  } else {
    step_.Run(LearningRate(step), phases_.generation());
  }
  timer_.CountStep();
}

void Training::StartTraceAt(int64_t step) {
  if (trace_ == nullptr || !trace_->StartsAt(step)) return;
  timer_.Close(phases_.phase(), /*counts=*/true);
  step_.DropRecording();  // traced steps have memory of their own
  trace_->Start();
  timer_.Start();
}

// Also ends a trace that would go on beyond the last step.
absl::Status Training::WriteTraceAfter(int64_t step) {
  if (!IsTraced()) return absl::OkStatus();
  if (!trace_->EndsAt(step) && step < h_.steps && !result_.interrupted) return absl::OkStatus();
  timer_.Close(phases_.phase(), /*counts=*/false);
  RETURN_IF_ERROR(trace_->Write());
  RETURN_IF_ERROR(events_.OnTrace(At(step), trace_->options()));
  timer_.Start();
  return absl::OkStatus();
}

absl::Status Training::Report(int64_t step) {
  timer_.Close(phases_.phase(), /*counts=*/!IsTraced());
  const TrainingStep::Means means = step_.TakeMeans();
  if (!std::isfinite(means.loss)) return NoLongerFinite("the loss", step);
  const double step_ms = timer_.step_ms();
  return events_.OnReport(
      At(step), {.steps = h_.steps,
                 .loss = means.loss,
                 .accuracy = means.accuracy,
                 .learning_rate = LearningRate(step),
                 .step_ms = step_ms,
                 .samples_per_second = 1e3 * static_cast<double>(h_.batch_size) / step_ms});
}

// A report's losses are those before the last update.
absl::Status Training::CheckWeights(int64_t step) const {
  const std::string name = NotFiniteWeight(model_);
  return name.empty() ? absl::OkStatus() : NoLongerFinite(absl::StrCat("the weight ", name), step);
}

absl::Status Training::HandOut(SavedModel which, int64_t step, double dev_accuracy) const {
  return events_.OnModel(which,
                         {.task = experiment_.task,
                          .method = experiment_.method.name,
                          .preset = std::string(PresetName(experiment_.preset)),
                          .seed = experiment_.seed,
                          .step = step,
                          .dev_accuracy = dev_accuracy,
                          .phase = phases_.phase(),
                          .patterns = CurrentPatterns(model_),
                          .pruned_score = experiment_.pruned_score()},
                         model_);
}

absl::Status Training::EvaluateDev(int64_t step) {
  RETURN_IF_ERROR(CheckWeights(step));
  RETURN_IF_ERROR(events_.OnEvaluationStart(At(step)));
  const Evaluation dev = Evaluate(model_, dev_batches_, h_.evaluation_batch_size(), h_.dev_examples,
                                  experiment_.precision);
  if (!std::isfinite(dev.loss)) return NoLongerFinite("the loss on the dev set", step);
  RETURN_IF_ERROR(events_.OnEvaluation(At(step), dev));
  if (dev.accuracy <= best_dev_accuracy_) return absl::OkStatus();
  best_dev_accuracy_ = dev.accuracy;
  RETURN_IF_ERROR(HandOut(SavedModel::kBest, step, dev.accuracy));
  result_.best = {.step = step, .phase = phases_.phase(), .dev_accuracy = dev.accuracy};
  return absl::OkStatus();
}

absl::Status Training::HandleCapture(const Capture& capture) {
  if (capture.transition) {
    result_.transition_step = capture.step;
    result_.settled = capture.settled;
    result_.patterns = capture.patterns;
    best_dev_accuracy_ = -1;  // the sparse phase keeps a best of its own
    phase_range_.emplace(Region::kSparsePhase);
  }
  return events_.OnCapture(At(capture.step), capture);
}

absl::Status Training::Steps() {
  RETURN_IF_ERROR(events_.OnBlockStart(At(0)));
  timer_.Start();
  for (int64_t step = 1; step <= h_.steps && !result_.interrupted; ++step) {
    const bool evaluates = step % h_.evaluation_interval == 0 || step == h_.steps;
    const bool captures = phases_.IsCaptureStep(step);
    if (captures) timer_.Close(phases_.phase(), /*counts=*/!IsTraced());
    StartTraceAt(step);
    Step(step);
    result_.steps = step;
    if (captures) timer_.Close(phases_.phase(), /*counts=*/false);
    if (step % report_interval_ == 0 || evaluates) RETURN_IF_ERROR(Report(step));
    if (evaluates) {
      RETURN_IF_ERROR(events_.OnBlockEnd(At(step)));
      RETURN_IF_ERROR(EvaluateDev(step));
    }
    ASSIGN_OR_RETURN(std::optional<Capture> capture, phases_.AfterStep(step));
    if (capture.has_value()) RETURN_IF_ERROR(HandleCapture(*capture));
    result_.interrupted = stop_requested_();
    const bool ends = result_.interrupted || step == h_.steps;
    if (evaluates && !ends) RETURN_IF_ERROR(events_.OnBlockStart(At(step)));
    if (ends && !evaluates) RETURN_IF_ERROR(events_.OnBlockEnd(At(step)));
    if (evaluates || captures) timer_.Start();
    RETURN_IF_ERROR(WriteTraceAfter(step));
  }
  return absl::OkStatus();
}

absl::StatusOr<TrainingResult> Training::Run() {
  const auto start = std::chrono::steady_clock::now();
  RETURN_IF_ERROR(events_.OnStart(At(0)));
  const absl::Status trained = Steps();
  const absl::Status told = events_.OnEnd(At(result_.steps), trained.ok() && !result_.interrupted);
  RETURN_IF_ERROR(trained);
  RETURN_IF_ERROR(told);
  phase_range_.reset();
  result_.train_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result_.step_ms_dense = timer_.MedianStepMs(Phase::kDense);
  result_.step_ms_sparse = timer_.MedianStepMs(Phase::kSparse);
  result_.recorded = step_.has_recorded();
  RETURN_IF_ERROR(CheckWeights(result_.steps));
  RETURN_IF_ERROR(HandOut(result_.interrupted ? SavedModel::kInterrupted : SavedModel::kLast,
                          result_.steps, result_.best.dev_accuracy));
  return result_;
}

}  // namespace

absl::StatusOr<TrainingResult> Train(const Experiment& experiment, const TaskData& data,
                                     SequenceClassifier& model, TrainingEvents& events,
                                     const TrainingOptions& options) {
  return Training(experiment, data, model, events, options).Run();
}

}  // namespace spion
