// Whether a GPU still computes.
#ifndef SPION_KERNELS_CUDA_LAUNCH_DEVICE_H_
#define SPION_KERNELS_CUDA_LAUNCH_DEVICE_H_

#include "absl/status/status.h"

namespace spion::cuda {

/// Ok, or Internal with CUDA's name and message where a kernel has brought the current GPU down (by
/// an address that is none, say): nothing runs on it any more in this process. Waits for nothing;
/// Ok too where a capture of a stream does not let it ask.
absl::Status StatusOfDevice();

}  // namespace spion::cuda

#endif  // SPION_KERNELS_CUDA_LAUNCH_DEVICE_H_
