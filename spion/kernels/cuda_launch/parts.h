// Launches of more than a grid bears: made part by part, one after the other on the same stream.
#ifndef SPION_KERNELS_CUDA_LAUNCH_PARTS_H_
#define SPION_KERNELS_CUDA_LAUNCH_PARTS_H_

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdint>

namespace spion::cuda {

/// Of a grid: thread blocks along x, and along y and z.
inline constexpr int64_t kMaxGridColumns = (int64_t{1} << 31) - 1;
inline constexpr int64_t kMaxGridRows = 65535;

/// Calls launch(first, count) for parts of at most `most` that together are 0 .. all - 1, until one
/// fails; returns its error. None of nothing.
template <class Launch>
cudaError_t InParts(int64_t all, int64_t most, Launch&& launch) {
  for (int64_t first = 0; first < all; first += most) {
    const cudaError_t error = launch(first, std::min(most, all - first));
    if (error != cudaSuccess) return error;
  }
  return cudaSuccess;
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_CUDA_LAUNCH_PARTS_H_
