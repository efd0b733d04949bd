#include "spion/train/schedule.h"

#include <algorithm>

namespace spion {
namespace {

constexpr double kStartDivisor = 25;
constexpr double kEndDivisor = kStartDivisor * 1e4;

}  // namespace

double OneCycleSchedule::At(int64_t step) const {
  const double start = peak_ / kStartDivisor;
  const double end = peak_ / kEndDivisor;
  // PyTorch counts the peak at warm-up share * steps - 1, the end at steps - 1.
  const double peak_step = static_cast<double>(warmup_steps_) - 1;
  const double last_step = static_cast<double>(steps_) - 1;
  const auto at = static_cast<double>(std::clamp<int64_t>(step, 0, steps_ - 1));
  if (at <= peak_step) return peak_step > 0 ? start + (peak_ - start) * at / peak_step : peak_;
  return peak_ + (end - peak_) * (at - peak_step) / (last_step - peak_step);
}

}  // namespace spion
