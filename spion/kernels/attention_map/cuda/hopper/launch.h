// Starts the map's kernels for Hopper: the seam between nvcc's files and the host compiler's.
// Private to attention_map/cuda.
#ifndef SPION_KERNELS_ATTENTION_MAP_CUDA_HOPPER_LAUNCH_H_
#define SPION_KERNELS_ATTENTION_MAP_CUDA_HOPPER_LAUNCH_H_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "spion/kernels/attention_map/call.h"
#include "spion/kernels/common/number.h"

namespace spion::cuda::hopper {

/// Whether these kernels are made for the sizes. A thread block has 256 x 128 entries of the map:
/// of a short length they would be too few for the GPU.
inline bool TakesMap(int64_t head_dim, int64_t length) {
  constexpr int64_t kLeastLength = 1536;
  return (head_dim == 64 || head_dim == 128) && length >= kLeastLength;
}

/// Arguments are valid, TakesMap holds, and the device runs it (cuda_hopper/device.h).
cudaError_t LaunchMap(const AttentionMapCall<Float16>& call, cudaStream_t stream);
cudaError_t LaunchMap(const AttentionMapCall<BFloat16>& call, cudaStream_t stream);

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_ATTENTION_MAP_CUDA_HOPPER_LAUNCH_H_
