// Padding in a warpgroup's scores, as products leave them.
#ifndef SPION_KERNELS_CUDA_HOPPER_MASK_KEYS_CUH_
#define SPION_KERNELS_CUDA_HOPPER_MASK_KEYS_CUH_

#include <cmath>
#include <cstdint>

#include "spion/kernels/cuda_tiles/lanes.cuh"
#include "spion/kernels/cuda_tiles/valid_keys.cuh"

namespace spion::cuda::hopper {

/// Scores of padded keys become -infinity; the first key is first_key.
template <int kValues>
__device__ __forceinline__ void MaskKeys(float (&s)[kValues], const tiles::ValidKeys& valid,
                                         int32_t first_key) {
#pragma unroll
  for (int i = 0; i < kValues; i += 4) {
#pragma unroll
    for (int e = 0; e < 2; ++e) {
      if (!valid.at(first_key + 2 * i + 2 * tiles::LaneInGroup() + e)) {
        s[i + e] = s[i + 2 + e] = -INFINITY;
      }
    }
  }
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_CUDA_HOPPER_MASK_KEYS_CUH_
