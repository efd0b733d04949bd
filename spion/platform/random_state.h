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

}  // namespace spion

#endif  // SPION_PLATFORM_RANDOM_STATE_H_
