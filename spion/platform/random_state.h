// Where LibTorch's default generator of random numbers stands: taken before, given back after, a
// program draws the same numbers again.
#ifndef SPION_PLATFORM_RANDOM_STATE_H_
#define SPION_PLATFORM_RANDOM_STATE_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "absl/status/status.h"

namespace spion {

/// A uint8 tensor on the CPU; of a GPU's generator seed and offset, those of replayed recordings
/// included. Waits for nothing.
at::Tensor RandomState(c10::Device device);

/// `state` is one of RandomState, of the same kind of device. Errors: DataLoss if it is not.
absl::Status SetRandomState(c10::Device device, const at::Tensor& state);

/// Gives the generators of the CPU and of `device` back at the end of the scope as they are now.
class RandomStateScope {
 public:
  explicit RandomStateScope(c10::Device device);
  ~RandomStateScope();
  RandomStateScope(const RandomStateScope&) = delete;
  RandomStateScope& operator=(const RandomStateScope&) = delete;

 private:
  const c10::Device device_;
  const at::Tensor cpu_state_;
  const at::Tensor device_state_;
};

}  // namespace spion

#endif  // SPION_PLATFORM_RANDOM_STATE_H_
