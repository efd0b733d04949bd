// One-cycle learning-rate schedule with linear annealing (Smith & Topin 2018; constants as in
// PyTorch's OneCycleLR, which the reference uses).
#ifndef SPION_TRAIN_SCHEDULE_H_
#define SPION_TRAIN_SCHEDULE_H_

#include <cstdint>

namespace spion {

/// From peak / 25 up to peak in `warmup_steps`, then down to peak / 250,000 at the last of `steps`,
/// which are one or more.
class OneCycleSchedule {
 public:
  OneCycleSchedule(double peak, int64_t warmup_steps, int64_t steps)
      : peak_(peak), warmup_steps_(warmup_steps), steps_(steps) {}

  /// The learning rate of a step counted from 0. Past the last step it stays at its end.
  double At(int64_t step) const;

 private:
  double peak_;
  int64_t warmup_steps_;
  int64_t steps_;
};

}  // namespace spion

#endif  // SPION_TRAIN_SCHEDULE_H_
