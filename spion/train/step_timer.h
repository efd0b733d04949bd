// How long a training step takes, phase by phase: the median over windows of a few steps, without
// captures and evaluations.
#ifndef SPION_TRAIN_STEP_TIMER_H_
#define SPION_TRAIN_STEP_TIMER_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "spion/train/phase_controller.h"

namespace spion {

class StepTimer {
 public:
  /// A window begins. The device must have nothing under way.
  void Start();
  /// The window of `steps` steps in `phase` ends; likewise. Returns milliseconds a step, and keeps
  /// them for the median if the window `counts`.
  double Stop(Phase phase, int64_t steps, bool counts);

  /// Nothing if no window of that phase was timed. The first window of a phase (warm-up) counts
  /// only if it is the only one.
  std::optional<double> MedianStepMs(Phase phase) const;

 private:
  std::chrono::steady_clock::time_point start_;
  std::map<Phase, std::vector<double>> windows_ms_;
};

}  // namespace spion

#endif  // SPION_TRAIN_STEP_TIMER_H_
