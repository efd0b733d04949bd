#include "spion/train/step_timer.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "spion/base/status.h"
#include "spion/platform/device.h"

namespace spion {
namespace {

constexpr char kStepMs[] = "timer.step_ms";

std::string WindowsOf(Phase phase) { return absl::StrCat("timer.windows_ms.", PhaseName(phase)); }

}  // namespace

void StepTimer::Start() {
  steps_ = 0;
  start_ = std::chrono::steady_clock::now();
}

void StepTimer::Close(Phase phase, bool counts) {
  if (steps_ == 0) return;
  WaitForDevice(device_);
  const std::chrono::duration<double, std::milli> elapsed =
      std::chrono::steady_clock::now() - start_;
  const double step_ms = elapsed.count() / static_cast<double>(steps_);
  if (counts) {
    windows_ms_[phase].push_back(step_ms);
    newest_ms_ = step_ms;
  }
  if (counts || step_ms_ == 0) step_ms_ = step_ms;
  Start();
}

std::optional<double> StepTimer::MedianStepMs(Phase phase) const {
  const auto found = windows_ms_.find(phase);
  if (found == windows_ms_.end()) return std::nullopt;
  std::vector<double> windows = found->second;
  if (windows.size() > 1) windows.erase(windows.begin());
  std::sort(windows.begin(), windows.end());
  return windows[windows.size() / 2];
}

void StepTimer::SaveTo(TrainingState& state) const {
  state.PutValue(kStepMs, step_ms_);
  for (const auto& [phase, windows] : windows_ms_) state.PutValue(WindowsOf(phase), windows);
}

absl::Status StepTimer::RestoreFrom(const TrainingState& state) {
  ASSIGN_OR_RETURN(step_ms_, state.Value<double>(kStepMs));
  for (const Phase phase : {Phase::kDense, Phase::kSparse, Phase::kSingle}) {
    if (!state.HasValue(WindowsOf(phase))) continue;
    ASSIGN_OR_RETURN(windows_ms_[phase], state.Value<std::vector<double>>(WindowsOf(phase)));
  }
  return absl::OkStatus();
}

}  // namespace spion
