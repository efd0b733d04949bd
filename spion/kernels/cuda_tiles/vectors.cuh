// Four or eight neighbouring numbers between device memory and fp32 registers, in pieces of 16
// bytes (of bf16, four are 8). Pointers are aligned to the piece.
#ifndef SPION_KERNELS_CUDA_TILES_VECTORS_CUH_
#define SPION_KERNELS_CUDA_TILES_VECTORS_CUH_

#include <cstdint>

#include "spion/kernels/common/number.h"
#include "spion/kernels/cuda_tiles/instructions.cuh"
#include "spion/kernels/cuda_tiles/math.cuh"

namespace spion::tiles {

/// Two bf16 numbers of a word, the first in its low half.
__device__ __forceinline__ float2 UnpackPair(uint32_t pair) {
  return {__uint_as_float(pair << 16), __uint_as_float(pair & 0xffff0000U)};
}

__device__ __forceinline__ float4 LoadFour(const float* from) {
  return *reinterpret_cast<const float4*>(from);
}
__device__ __forceinline__ float4 LoadFour(const BFloat16* from) {
  const uint2 words = *reinterpret_cast<const uint2*>(from);
  const float2 low = UnpackPair(words.x);
  const float2 high = UnpackPair(words.y);
  return {low.x, low.y, high.x, high.y};
}
__device__ __forceinline__ void StoreFour(float* to, const float4& four) { StoreGlobal(to, four); }
__device__ __forceinline__ void StoreFour(BFloat16* to, const float4& four) {
  StoreGlobal(to, uint2{PackPair<BFloat16>(four.x, four.y), PackPair<BFloat16>(four.z, four.w)});
}

struct Eight {
  float values[8];
};

__device__ __forceinline__ Eight LoadEight(const float* from) {
  const float4 low = reinterpret_cast<const float4*>(from)[0];
  const float4 high = reinterpret_cast<const float4*>(from)[1];
  return {{low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w}};
}
__device__ __forceinline__ Eight LoadEight(const BFloat16* from) {
  const uint4 words = *reinterpret_cast<const uint4*>(from);
  const float2 pairs[4] = {UnpackPair(words.x), UnpackPair(words.y), UnpackPair(words.z),
                           UnpackPair(words.w)};
  Eight eight;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    eight.values[2 * i] = pairs[i].x;
    eight.values[2 * i + 1] = pairs[i].y;
  }
  return eight;
}
__device__ __forceinline__ void StoreEight(float* to, const Eight& eight) {
  const float(&v)[8] = eight.values;
  StoreGlobal(to, float4{v[0], v[1], v[2], v[3]});
  StoreGlobal(to + 4, float4{v[4], v[5], v[6], v[7]});
}
__device__ __forceinline__ void StoreEight(BFloat16* to, const Eight& eight) {
  const float(&v)[8] = eight.values;
  StoreGlobal(to, uint4{PackPair<BFloat16>(v[0], v[1]), PackPair<BFloat16>(v[2], v[3]),
                        PackPair<BFloat16>(v[4], v[5]), PackPair<BFloat16>(v[6], v[7])});
}

}  // namespace spion::tiles

#endif  // SPION_KERNELS_CUDA_TILES_VECTORS_CUH_
