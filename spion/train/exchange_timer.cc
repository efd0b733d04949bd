#include "spion/train/exchange_timer.h"

#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>

namespace spion {

void ExchangeTimer::Record(c10::Event& event) const {
  event.record(c10::impl::VirtualGuardImpl(device_.type()).getStream(device_));
}

void ExchangeTimer::Start() {
  if (!IsMeasured()) return;
  if (device_.is_cpu()) {
    start_ = std::chrono::steady_clock::now();
    return;
  }
  if (used_events_ == events_.size()) {
    const auto timed = c10::EventFlag::BACKEND_DEFAULT;
    events_.emplace_back(c10::Event(device_.type(), timed), c10::Event(device_.type(), timed));
  }
  Record(events_[used_events_].first);
}

void ExchangeTimer::Stop() {
  const bool is_measured = IsMeasured();
  ++exchanges_;
  if (!is_measured) return;
  if (device_.is_cpu()) {
    const std::chrono::duration<double, std::milli> elapsed =
        std::chrono::steady_clock::now() - start_;
    measured_ms_.push_back(elapsed.count());
    return;
  }
  Record(events_[used_events_].second);
  ++used_events_;
}

void ExchangeTimer::Collect() {
  for (size_t i = 0; i < used_events_; ++i) {
    measured_ms_.push_back(events_[i].first.elapsedTime(events_[i].second));
  }
  used_events_ = 0;
}

std::optional<double> ExchangeTimer::MedianMs() const {
  if (measured_ms_.empty()) return std::nullopt;
  std::vector<double> sorted = measured_ms_;
  std::sort(sorted.begin(), sorted.end());
  return sorted[sorted.size() / 2];
}

}  // namespace spion
