// How threads share the tokens' rows: 16 lanes a row, each with every 16th four of its numbers, so
// that a warp reads two rows in whole lines of memory.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_ROWS_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_ROWS_CUH_

#include <cstdint>

#include "spion/kernels/cuda_tiles/math.cuh"
#include "spion/kernels/token_rows/cuda/sum_blocks.h"

namespace spion::cuda {

constexpr int kColumnsAtOnce = 4 * kRowLanes;
constexpr int kRowWarps = kRowThreads / 32;

__device__ __forceinline__ uint32_t RowLane() { return threadIdx.x % kRowLanes; }
/// Which of the thread block's rows is the thread's.
__device__ __forceinline__ uint32_t RowSlot() { return threadIdx.x / kRowLanes; }

__device__ __forceinline__ float4 LoadFour(const float* from) {
  return *reinterpret_cast<const float4*>(from);
}
__device__ __forceinline__ float4 LoadFour(const BFloat16* from) {
  const uint2 words = *reinterpret_cast<const uint2*>(from);
  return {__uint_as_float(words.x << 16), __uint_as_float(words.x & 0xffff0000U),
          __uint_as_float(words.y << 16), __uint_as_float(words.y & 0xffff0000U)};
}
__device__ __forceinline__ void StoreFour(float* to, const float4& four) {
  *reinterpret_cast<float4*>(to) = four;
}
__device__ __forceinline__ void StoreFour(BFloat16* to, const float4& four) {
  *reinterpret_cast<uint2*>(to) = {tiles::PackPair<BFloat16>(four.x, four.y),
                                   tiles::PackPair<BFloat16>(four.z, four.w)};
}

/// The lane's part of a row of kFours x 64 numbers.
template <int kFours>
struct RowPart {
  float4 fours[kFours];

  template <typename T>
  __device__ __forceinline__ void Load(const T* row) {
#pragma unroll
    for (int i = 0; i < kFours; ++i) {
      fours[i] = LoadFour(row + kColumnsAtOnce * i + 4 * RowLane());
    }
  }
  template <typename T>
  __device__ __forceinline__ void Store(T* row) const {
#pragma unroll
    for (int i = 0; i < kFours; ++i) {
      StoreFour(row + kColumnsAtOnce * i + 4 * RowLane(), fours[i]);
    }
  }
  __device__ __forceinline__ void Clear() {
#pragma unroll
    for (float4& four : fours) four = {0, 0, 0, 0};
  }
};

/// Calls body(number of each part ...) for the lane's numbers.
template <int kFours, class Body, class... Parts>
__device__ __forceinline__ void ForEach(Body&& body, RowPart<kFours>& first, Parts&... others) {
#pragma unroll
  for (int i = 0; i < kFours; ++i) {
    body(first.fours[i].x, others.fours[i].x...);
    body(first.fours[i].y, others.fours[i].y...);
    body(first.fours[i].z, others.fours[i].z...);
    body(first.fours[i].w, others.fours[i].w...);
  }
}

/// The sum over the lanes of a row, in all of them.
__device__ __forceinline__ float RowTotal(float value) {
#pragma unroll
  for (int lanes = kRowLanes / 2; lanes > 0; lanes /= 2) {
    value += __shfl_xor_sync(tiles::kAllLanes, value, lanes);
  }
  return value;
}

/// Writes the sums over the thread block's slots to sums[64 kFours]; `buffer`: 64 kFours floats a
/// warp.
template <int kFours>
__device__ __forceinline__ void WriteBlockSums(RowPart<kFours>& part, float* buffer, float* sums) {
  constexpr int kColumns = kColumnsAtOnce * kFours;
  ForEach([](float& x) { x += __shfl_xor_sync(tiles::kAllLanes, x, kRowLanes); }, part);
  if (threadIdx.x % 32 < kRowLanes) part.Store(buffer + threadIdx.x / 32 * kColumns);
  __syncthreads();  // the warps' sums are there
  for (int column = static_cast<int>(threadIdx.x); column < kColumns; column += kRowThreads) {
    float sum = 0;
#pragma unroll
    for (int warp = 0; warp < kRowWarps; ++warp) sum += buffer[warp * kColumns + column];
    sums[column] = sum;
  }
  __syncthreads();  // the buffer may be used again
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_ROWS_CUH_
