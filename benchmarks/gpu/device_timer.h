// The GPU's own time for work on the current stream, without the time that launching it takes.
//
//   DeviceTimer timer(/*flush_bytes=*/0);
//   std::vector<double> seconds = timer.Time(100, [&] { graph.replay(); });
//
// The GPU is kept busy while the CPU launches ahead, so that the events around a piece of work are
// a piece of work apart. That needs work which takes longer on the GPU than to launch: a CUDA
// graph.
#ifndef BENCHMARKS_GPU_DEVICE_TIMER_H_
#define BENCHMARKS_GPU_DEVICE_TIMER_H_

#include <ATen/core/Tensor.h>
#include <c10/cuda/CUDAEvent.h>

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"

namespace spion {

class DeviceTimer {
 public:
  /// Before each timed piece of work, `flush_bytes` bytes of device memory are written, which
  /// leaves nothing else in a smaller cache; with 0, the caches stay as the work left them.
  explicit DeviceTimer(int64_t flush_bytes);

  /// Seconds for each of `count` times what `enqueue` puts on the current stream, after one that is
  /// not timed. Returns when all are done. Throws what `enqueue` throws, and c10::Error.
  std::vector<double> Time(int64_t count, absl::FunctionRef<void()> enqueue);

 private:
  at::Tensor flushed_;  // undefined when the caches are left alone
  std::vector<c10::cuda::CUDAEvent> starts_;
  std::vector<c10::cuda::CUDAEvent> ends_;
};

/// The middle of the values (the mean of the two in the middle). There must be one.
double Median(std::vector<double> values);

/// Bytes read plus bytes written a second when device memory is copied, by the median copy.
double CopyBandwidth(DeviceTimer& timer);

}  // namespace spion

#endif  // BENCHMARKS_GPU_DEVICE_TIMER_H_
