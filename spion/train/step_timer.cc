#include "spion/train/step_timer.h"

#include <algorithm>

namespace spion {

void StepTimer::Start() { start_ = std::chrono::steady_clock::now(); }

double StepTimer::Stop(Phase phase, int64_t steps, bool counts) {
  const std::chrono::duration<double, std::milli> elapsed =
      std::chrono::steady_clock::now() - start_;
  const double step_ms = elapsed.count() / static_cast<double>(steps);
  if (counts) windows_ms_[phase].push_back(step_ms);
  return step_ms;
}

std::optional<double> StepTimer::MedianStepMs(Phase phase) const {
  const auto found = windows_ms_.find(phase);
  if (found == windows_ms_.end()) return std::nullopt;
  std::vector<double> windows = found->second;
  if (windows.size() > 1) windows.erase(windows.begin());
  std::sort(windows.begin(), windows.end());
  return windows[windows.size() / 2];
}

}  // namespace spion
