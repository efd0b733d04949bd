// How long a training step takes, phase by phase: the median over windows of a few steps, without
// captures and evaluations.
//
//   StepTimer timer(device);
//   timer.Start();
//   for (...) {
//     ... a step ...
//     timer.CountStep();
//     if (...) timer.Close(phase, /*counts=*/true);
//   }
#ifndef SPION_TRAIN_STEP_TIMER_H_
#define SPION_TRAIN_STEP_TIMER_H_

#include <c10/core/Device.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "spion/train/phase.h"
#include "spion/train/training_state.h"

namespace spion {

class StepTimer {
 public:
  explicit StepTimer(c10::Device device) : device_(device) {}

  /// A window begins; what the one before has counted is forgotten. The device must have nothing
  /// under way.
  void Start();
  /// A step of the window was started.
  void CountStep() { ++steps_; }
  /// Waits for the device, ends the window, whose steps were of `phase`, and begins the next. It is
  /// kept for the median if it `counts`. Nothing in a window without steps.
  void Close(Phase phase, bool counts);

  /// Of the last window that counted; of the first, counting or not, until there is one.
  double step_ms() const { return step_ms_; }
  /// Of the last window that counted since the last call; nothing if none did.
  std::optional<double> TakeNewestMs() { return std::exchange(newest_ms_, std::nullopt); }
  /// Nothing if no window of that phase counted. The first window of a phase (warm-up) is left out
  /// unless it is the only one.
  std::optional<double> MedianStepMs(Phase phase) const;

  /// The windows that ended.
  void SaveTo(TrainingState& state) const;
  absl::Status RestoreFrom(const TrainingState& state);

 private:
  c10::Device device_;
  std::chrono::steady_clock::time_point start_;
  int64_t steps_ = 0;
  double step_ms_ = 0;
  std::optional<double> newest_ms_;
  std::map<Phase, std::vector<double>> windows_ms_;
};

}  // namespace spion

#endif  // SPION_TRAIN_STEP_TIMER_H_
