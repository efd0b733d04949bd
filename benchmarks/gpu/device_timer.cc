#include "benchmarks/gpu/device_timer.h"

#include <ATen/cuda/Sleep.h>
#include <ATen/ops/empty.h>

#include <algorithm>

namespace spion {
namespace {

constexpr int64_t kInFlight = 20;
// About half a millisecond, in which the CPU launches kInFlight CUDA graphs with their events.
constexpr int64_t kHeadStartCycles = 1'000'000;

constexpr int64_t kCopyBytes = int64_t{1} << 30;
constexpr int64_t kCopies = 20;

at::Tensor DeviceBytes(int64_t bytes) {
  return at::empty({bytes}, at::TensorOptions().dtype(at::kByte).device(at::kCUDA));
}

}  // namespace

DeviceTimer::DeviceTimer(int64_t flush_bytes) {
  if (flush_bytes > 0) flushed_ = DeviceBytes(flush_bytes);
  for (int64_t i = 0; i < kInFlight; ++i) {
    starts_.emplace_back(cudaEventDefault);  // c10's default cannot time
    ends_.emplace_back(cudaEventDefault);
  }
}

std::vector<double> DeviceTimer::Time(int64_t count, absl::FunctionRef<void()> enqueue) {
  constexpr double kSecondsPerMillisecond = 1e-3;
  enqueue();
  std::vector<double> seconds;
  while (static_cast<int64_t>(seconds.size()) < count) {
    const int64_t batch = std::min(kInFlight, count - static_cast<int64_t>(seconds.size()));
    at::cuda::sleep(kHeadStartCycles);
    for (int64_t i = 0; i < batch; ++i) {
      if (flushed_.defined()) flushed_.zero_();
      starts_[i].record();
      enqueue();
      ends_[i].record();
    }
    ends_[batch - 1].synchronize();
    for (int64_t i = 0; i < batch; ++i) {
      seconds.push_back(starts_[i].elapsed_time(ends_[i]) * kSecondsPerMillisecond);
    }
  }
  return seconds;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double CopyBandwidth(DeviceTimer& timer) {
  const at::Tensor from = DeviceBytes(kCopyBytes).zero_();
  const at::Tensor to = DeviceBytes(kCopyBytes);
  const double seconds = Median(timer.Time(kCopies, [&] { to.copy_(from); }));
  return 2 * static_cast<double>(kCopyBytes) / seconds;
}

}  // namespace spion
