// States of a training: when, what of, and back.
#include <chrono>
#include <exception>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "spion/base/status.h"
#include "spion/pattern/pattern_json.h"
#include "spion/platform/device.h"
#include "spion/train/model_patterns.h"
#include "spion/train/training.h"

namespace spion {
namespace {

constexpr std::chrono::minutes kUsualSaveInterval(5);

// Names in a state.
constexpr char kBest[] = "best";
constexpr char kSteps[] = "training.steps";
constexpr char kOwesEvaluation[] = "training.owes_evaluation";
constexpr char kOwesCapture[] = "training.owes_capture";
constexpr char kIsInBlock[] = "training.is_in_block";
constexpr char kBestDevAccuracy[] = "training.best_dev_accuracy";
constexpr char kSeconds[] = "training.seconds";
constexpr char kPeakUsed[] = "training.peak_used_mib";
constexpr char kPeakReserved[] = "training.peak_reserved_mib";
constexpr char kRecorded[] = "training.recorded";
constexpr char kTransitionStep[] = "training.transition_step";
constexpr char kSettled[] = "training.settled";
constexpr char kPatterns[] = "training.patterns";

std::string WeightName(const NamedTensor& parameter) { return "weights." + parameter.name; }

}  // namespace

absl::StatusOr<int64_t> StepOf(const TrainingState& state) { return state.Value<int64_t>(kSteps); }

bool HasPatterns(const TrainingState& state) { return state.HasValue(kPatterns); }

bool Training::IsSaveDue() const {
  if (options_.save_interval > 0) return result_.steps % options_.save_interval == 0;
  return Clock::now() - last_save_ >= kUsualSaveInterval;
}

// Whatever the ranks know together: rank 0 has it, and alone may wait for its disk.
absl::Status Training::HandOutState(StateReason reason) {
  if (!group_.leads()) return absl::OkStatus();
  timer_.Close(phases_.phase(), /*counts=*/!IsTraced());
  RETURN_IF_ERROR(CheckWeights(result_.steps));
  TrainingState state;
  for (const NamedTensor& parameter : model_.parameters().items()) {
    state.Put(WeightName(parameter), parameter.value);
  }
  step_.SaveTo(state);
  phases_.SaveTo(state);
  timer_.SaveTo(state);
  if (best_.has_value()) PutCheckpoint(kBest, *best_, state);
  state.PutValue(kSteps, result_.steps);
  state.PutValue(kOwesEvaluation, owes_evaluation_);
  state.PutValue(kOwesCapture, owes_capture_);
  state.PutValue(kIsInBlock, is_in_block_);
  state.PutValue(kBestDevAccuracy, best_dev_accuracy_);
  state.PutValue(kSeconds, Seconds());
  const PeakMemory peak =
      LargerOf(result_.earlier_peak, GetPeakMemory(model_.parameters().device()));
  state.PutValue(kPeakUsed, peak.used_mib);
  state.PutValue(kPeakReserved, peak.reserved_mib);
  state.PutValue(kRecorded, result_.recorded || step_.has_recorded());
  if (result_.transition_step.has_value()) {
    state.PutValue(kTransitionStep, *result_.transition_step);
    state.PutValue(kSettled, result_.settled);
    state.PutValue(kPatterns, PatternsToJson(result_.patterns));
  }
  const absl::Status handed_out = events_.OnState(Now(), reason, state);
  last_save_ = Clock::now();
  timer_.Start();
  return handed_out;
}

// After an error: whatever comes of it, the error is what is told.
void Training::TryToSave() {
  if (!is_whole_) return;
  try {
    HandOutState(StateReason::kError).IgnoreError();
  } catch (const std::exception& error) {
    // A device that failed answers nothing any more, and memory may be short.
  }
}

absl::Status Training::RestoreFrom(const TrainingState& state) {
  for (const NamedTensor& parameter : model_.parameters().items()) {
    RETURN_IF_ERROR(state.CopyTo(WeightName(parameter), parameter.value));
  }
  RETURN_IF_ERROR(step_.RestoreFrom(state));
  RETURN_IF_ERROR(phases_.RestoreFrom(state));
  RETURN_IF_ERROR(timer_.RestoreFrom(state));
  ASSIGN_OR_RETURN(result_.steps, state.Value<int64_t>(kSteps));
  ASSIGN_OR_RETURN(owes_evaluation_, state.Value<bool>(kOwesEvaluation));
  ASSIGN_OR_RETURN(owes_capture_, state.Value<bool>(kOwesCapture));
  ASSIGN_OR_RETURN(is_in_block_, state.Value<bool>(kIsInBlock));
  ASSIGN_OR_RETURN(best_dev_accuracy_, state.Value<double>(kBestDevAccuracy));
  ASSIGN_OR_RETURN(seconds_before_, state.Value<double>(kSeconds));
  ASSIGN_OR_RETURN(result_.earlier_peak.used_mib, state.Value<double>(kPeakUsed));
  ASSIGN_OR_RETURN(result_.earlier_peak.reserved_mib, state.Value<double>(kPeakReserved));
  ASSIGN_OR_RETURN(result_.recorded, state.Value<bool>(kRecorded));
  if (HasCheckpoint(kBest, state)) {
    ASSIGN_OR_RETURN(best_, GetCheckpoint(kBest, state));
    result_.best = {.step = best_->info.step,
                    .phase = best_->info.phase,
                    .dev_accuracy = best_->info.dev_accuracy};
  }
  if (!state.HasValue(kTransitionStep)) return absl::OkStatus();
  ASSIGN_OR_RETURN(result_.transition_step, state.Value<int64_t>(kTransitionStep));
  ASSIGN_OR_RETURN(result_.settled, state.Value<bool>(kSettled));
  ASSIGN_OR_RETURN(const nlohmann::json patterns, state.Value<nlohmann::json>(kPatterns));
  ASSIGN_OR_RETURN(result_.patterns, PatternsFromJson(patterns));
  RETURN_IF_ERROR(SetPatterns(result_.patterns, model_));
  phase_range_.emplace(Region::kSparsePhase);
  return absl::OkStatus();
}

}  // namespace spion
