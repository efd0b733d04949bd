// Which keys of an example are padding.
#ifndef SPION_KERNELS_CUDA_TILES_VALID_KEYS_CUH_
#define SPION_KERNELS_CUDA_TILES_VALID_KEYS_CUH_

#include <cmath>
#include <cstdint>

#include "spion/kernels/common/key_padding.h"
#include "spion/kernels/cuda_tiles/lanes.cuh"

namespace spion::tiles {

/// The keys of one example that may be attended to, out of `length`.
class ValidKeys {
 public:
  ValidKeys() = default;
  __device__ __forceinline__ ValidKeys(const KeyPadding& padding, int32_t length, int32_t example)
      : length_(length), mask_(padding.valid) {
    if (mask_ != nullptr) mask_ += int64_t{example} * length;
    if (padding.lengths != nullptr) length_ = min(length, max(padding.lengths[example], 0));
  }

  /// Keys from here on are all padding.
  __device__ __forceinline__ int32_t length() const { return length_; }
  __device__ __forceinline__ bool all_before(int32_t end) const {
    return mask_ == nullptr && end <= length_;
  }
  /// False also for keys beyond the example's end.
  __device__ __forceinline__ bool at(int32_t key) const {
    return key < length_ && (mask_ == nullptr || mask_[key] != 0);
  }

 private:
  int32_t length_ = 0;
  const uint8_t* mask_ = nullptr;
};

/// Scores of padded keys become -infinity, in all kRowTiles x 16 rows. Keys along the columns, the
/// first of them first_key.
template <int kRowTiles, int kTiles>
__device__ __forceinline__ void MaskKeys(float (&s)[kRowTiles][kTiles][4], const ValidKeys& valid,
                                         int32_t first_key) {
#pragma unroll
  for (int t = 0; t < kTiles; ++t) {
#pragma unroll
    for (int e = 0; e < 2; ++e) {
      if (valid.at(first_key + 8 * t + 2 * LaneInGroup() + e)) continue;
#pragma unroll
      for (int i = 0; i < kRowTiles; ++i) s[i][t][e] = s[i][t][2 + e] = -INFINITY;
    }
  }
}

}  // namespace spion::tiles

#endif  // SPION_KERNELS_CUDA_TILES_VALID_KEYS_CUH_
