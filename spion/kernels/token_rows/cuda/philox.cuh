// Philox 4x32 with 7 rounds, a counter-based generator: four random words for each counter, by
// arithmetic alone. Source: Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3
// (SC 2011), where 7 rounds pass all of BigCrush; LibTorch's 10 are theirs for good measure.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_PHILOX_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_PHILOX_CUH_

#include <cstdint>

#include "spion/kernels/cuda_tiles/instructions.cuh"

namespace spion::cuda {

/// Counters become their words. The keys of the rounds are computed once for all of them.
template <int kCounters>
__device__ __forceinline__ void Philox(uint4 (&counters)[kCounters], uint2 key) {
  constexpr int kRounds = 7;
  constexpr uint64_t kFirstMultiplier = 0xD2511F53;
  constexpr uint64_t kSecondMultiplier = 0xCD9E8D57;
  constexpr uint32_t kFirstKeyStep = 0x9E3779B9;   // of the golden ratio
  constexpr uint32_t kSecondKeyStep = 0xBB67AE85;  // of the square root of 3
#pragma unroll
  for (int round = 0; round < kRounds; ++round) {
#pragma unroll
    for (uint4& counter : counters) {
      const uint64_t first = kFirstMultiplier * counter.x;
      const uint64_t second = kSecondMultiplier * counter.z;
      counter = {
          static_cast<uint32_t>(second >> 32) ^ counter.y ^ key.x, static_cast<uint32_t>(second),
          static_cast<uint32_t>(first >> 32) ^ counter.w ^ key.y, static_cast<uint32_t>(first)};
    }
    key.x += kFirstKeyStep;
    key.y += kSecondKeyStep;
  }
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_PHILOX_CUH_
