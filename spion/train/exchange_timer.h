// How long ranks take to exchange a step's gradient, waiting for each other included, on the
// device's own clock, so that nothing waits for it. Every eighth exchange is measured, as events
// between kernels cost a step some microseconds, and from the fifth on: the first of a run and, in
// a short one, that after each line of the log find hosts that wait for each other.
//
//   ExchangeTimer timer(device);
//   timer.Start();  group.Sum(gradient);  timer.Stop();
//   timer.Collect();                            // now and then, when the device is at rest
#ifndef SPION_TRAIN_EXCHANGE_TIMER_H_
#define SPION_TRAIN_EXCHANGE_TIMER_H_

#include <c10/core/Device.h>
#include <c10/core/Event.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace spion {

class ExchangeTimer {
 public:
  explicit ExchangeTimer(c10::Device device) : device_(device) {}

  void Start();
  void Stop();
  /// Takes down what has been measured. The device must have nothing under way.
  void Collect();

  /// Nothing before the first Collect that found something.
  std::optional<double> MedianMs() const;

 private:
  bool IsMeasured() const { return exchanges_ % 8 == 4; }
  void Record(c10::Event& event) const;

  c10::Device device_;
  int64_t exchanges_ = 0;
  std::chrono::steady_clock::time_point start_;            // on the CPU
  std::vector<std::pair<c10::Event, c10::Event>> events_;  // elsewhere: start and end
  size_t used_events_ = 0;                                 // since the last Collect
  std::vector<double> measured_ms_;
};

}  // namespace spion

#endif  // SPION_TRAIN_EXCHANGE_TIMER_H_
