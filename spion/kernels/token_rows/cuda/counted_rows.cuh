// Of padded sequences the first rows count.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_COUNTED_ROWS_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_COUNTED_ROWS_CUH_

#include <cstdint>

namespace spion::cuda {

/// How many rows of a sequence do; lengths: as of the calls.
__device__ __forceinline__ uint32_t CountedRows(const int32_t* lengths, uint32_t sequence,
                                                uint32_t length) {
  if (lengths == nullptr) return length;
  const int32_t counted = lengths[sequence];
  return counted < 0 ? 0 : min(static_cast<uint32_t>(counted), length);
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_COUNTED_ROWS_CUH_
