// A thread block has one row, in registers: kVectors times 8 scores a thread.
#ifndef SPION_KERNELS_SCORE_ROWS_CUDA_SOFTMAX_CUH_
#define SPION_KERNELS_SCORE_ROWS_CUDA_SOFTMAX_CUH_

#include <cmath>
#include <cstdint>

#include "spion/kernels/cuda_tiles/math.cuh"
#include "spion/kernels/score_rows/api.h"

namespace spion::cuda {

constexpr int kScoreThreads = 128;
constexpr int kScoreWarps = kScoreThreads / 32;
constexpr int kVector = 8;
constexpr int kScoresAtOnce = kScoreThreads * kVector;

struct Eight {
  float values[kVector];
};

__device__ __forceinline__ Eight LoadEight(const BFloat16* from) {
  const uint4 words = *reinterpret_cast<const uint4*>(from);
  Eight eight;
  const uint32_t pairs[4] = {words.x, words.y, words.z, words.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    eight.values[2 * i] = __uint_as_float(pairs[i] << 16);
    eight.values[2 * i + 1] = __uint_as_float(pairs[i] & 0xffff0000U);
  }
  return eight;
}
__device__ __forceinline__ Eight LoadEight(const float* from) {
  const float4 low = reinterpret_cast<const float4*>(from)[0];
  const float4 high = reinterpret_cast<const float4*>(from)[1];
  return {{low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w}};
}
__device__ __forceinline__ void StoreEight(BFloat16* to, const Eight& eight) {
  const float(&v)[kVector] = eight.values;
  *reinterpret_cast<uint4*>(to) = {
      tiles::PackPair<BFloat16>(v[0], v[1]), tiles::PackPair<BFloat16>(v[2], v[3]),
      tiles::PackPair<BFloat16>(v[4], v[5]), tiles::PackPair<BFloat16>(v[6], v[7])};
}
__device__ __forceinline__ void StoreEight(float* to, const Eight& eight) {
  const float(&v)[kVector] = eight.values;
  reinterpret_cast<float4*>(to)[0] = {v[0], v[1], v[2], v[3]};
  reinterpret_cast<float4*>(to)[1] = {v[4], v[5], v[6], v[7]};
}

/// `join` over the thread block, in all threads; `buffer`: a float a warp, not used before.
template <class Join>
__device__ __forceinline__ float JoinBlock(float value, float* buffer, Join&& join) {
#pragma unroll
  for (int lanes = 16; lanes > 0; lanes /= 2) {
    value = join(value, __shfl_xor_sync(tiles::kAllLanes, value, lanes));
  }
  if (threadIdx.x % 32 == 0) buffer[threadIdx.x / 32] = value;
  __syncthreads();  // the warps' values are there
  value = buffer[0];
#pragma unroll
  for (int warp = 1; warp < kScoreWarps; ++warp) value = join(value, buffer[warp]);
  return value;
}

/// blockIdx.x: the row of all; the grid has batch * rows of them.
template <int kVectors>
__global__ void __launch_bounds__(kScoreThreads)
    SoftmaxForwardKernel(const __grid_constant__ SoftmaxForward call) {
  __shared__ float largest_of_warps[kScoreWarps];
  __shared__ float sums_of_warps[kScoreWarps];
  const auto width = static_cast<int32_t>(call.width);
  const int32_t length =
      call.lengths == nullptr ? width : call.lengths[blockIdx.x / static_cast<uint32_t>(call.rows)];
  const int64_t begin = int64_t{blockIdx.x} * width;
  const float scale_log2 = length > 0 ? call.scale * 1.44269504F : 0.0F;  // without keys: all alike
  const int32_t keys = length > 0 ? length : width;
  Eight x[kVectors];
  float largest = -INFINITY;
#pragma unroll
  for (int i = 0; i < kVectors; ++i) {
    const int32_t column = i * kScoresAtOnce + static_cast<int32_t>(threadIdx.x) * kVector;
    x[i] = column < width ? LoadEight(call.scores + begin + column) : Eight{};
#pragma unroll
    for (int e = 0; e < kVector; ++e) {
      float& value = x[i].values[e];
      value = column + e < keys ? value * scale_log2 : -INFINITY;
      largest = fmaxf(largest, value);
    }
  }
  largest = JoinBlock(largest, largest_of_warps, [](float a, float b) { return fmaxf(a, b); });
  float sum = 0;
#pragma unroll
  for (Eight& eight : x) {
#pragma unroll
    for (float& value : eight.values) {
      value = tiles::Exp2(value - largest);
      sum += value;
    }
  }
  const float inverse = 1 / JoinBlock(sum, sums_of_warps, [](float a, float b) { return a + b; });
#pragma unroll
  for (int i = 0; i < kVectors; ++i) {
    const int32_t column = i * kScoresAtOnce + static_cast<int32_t>(threadIdx.x) * kVector;
    if (column >= width) continue;
#pragma unroll
    for (float& value : x[i].values) value *= inverse;
    StoreEight(call.probabilities + begin + column, x[i]);
    StoreEight(call.rounded + begin + column, x[i]);
  }
}

template <int kVectors>
__global__ void __launch_bounds__(kScoreThreads)
    SoftmaxBackwardKernel(const __grid_constant__ SoftmaxBackward call) {
  __shared__ float dots_of_warps[kScoreWarps];
  const auto width = static_cast<int32_t>(call.width);
  const int64_t begin = int64_t{blockIdx.x} * width;
  Eight p[kVectors];
  Eight grad[kVectors];
  float dot = 0;
#pragma unroll
  for (int i = 0; i < kVectors; ++i) {
    const int32_t column = i * kScoresAtOnce + static_cast<int32_t>(threadIdx.x) * kVector;
    p[i] = {};
    grad[i] = {};
    if (column >= width) continue;
    p[i] = LoadEight(call.probabilities + begin + column);
    grad[i] = LoadEight(call.grad + begin + column);
#pragma unroll
    for (int e = 0; e < kVector; ++e) dot = fmaf(p[i].values[e], grad[i].values[e], dot);
  }
  dot = JoinBlock(dot, dots_of_warps, [](float a, float b) { return a + b; });
#pragma unroll
  for (int i = 0; i < kVectors; ++i) {
    const int32_t column = i * kScoresAtOnce + static_cast<int32_t>(threadIdx.x) * kVector;
    if (column >= width) continue;
#pragma unroll
    for (int e = 0; e < kVector; ++e) {
      grad[i].values[e] = call.scale * p[i].values[e] * (grad[i].values[e] - dot);
    }
    StoreEight(call.grad + begin + column, grad[i]);
  }
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_SCORE_ROWS_CUDA_SOFTMAX_CUH_
