// A thread block has one row, in registers: kVectors times 8 scores a thread.
#ifndef SPION_KERNELS_MATERIALISED_SOFTMAX_CUDA_SOFTMAX_CUH_
#define SPION_KERNELS_MATERIALISED_SOFTMAX_CUDA_SOFTMAX_CUH_

#include <cmath>
#include <cstdint>

#include "spion/kernels/cuda_tiles/exponent.cuh"
#include "spion/kernels/cuda_tiles/math.cuh"
#include "spion/kernels/cuda_tiles/vectors.cuh"
#include "spion/kernels/materialised_softmax/api.h"

namespace spion::cuda {

constexpr int kScoreThreads = 128;
constexpr int kScoreWarps = kScoreThreads / 32;
constexpr int kVector = 8;
static_assert(kVector == kScoresStep);
constexpr int kScoresAtOnce = kScoreThreads * kVector;

using tiles::Eight;

/// `join` over the thread block, in all threads; `buffer`: a float a warp, not used before.
template <class Join>
__device__ __forceinline__ float JoinBlock(float value, float* buffer, Join&& join) {
#pragma unroll
  for (int lanes = 16; lanes > 0; lanes /= 2) {
    value = join(value, __shfl_xor_sync(tiles::kAllLanes, value, lanes));
  }
  if (threadIdx.x % 32 == 0) buffer[threadIdx.x / 32] = value;
  __syncthreads();  // every warp's value is written before any is read
  value = buffer[0];
#pragma unroll
  for (int warp = 1; warp < kScoreWarps; ++warp) value = join(value, buffer[warp]);
  return value;
}

/// The keys of the thread block's row: 0 to width.
template <class Call>
__device__ __forceinline__ int32_t RowKeys(const Call& call) {
  const auto width = static_cast<int32_t>(call.width);
  if (call.lengths == nullptr) return width;
  return min(max(call.lengths[blockIdx.x / static_cast<uint32_t>(call.rows)], 0), width);
}

/// Grid: batch * rows thread blocks of kScoreThreads, each of a row of `width` scores, at most
/// kVectors * kScoresAtOnce.
template <int kVectors>
__global__ void __launch_bounds__(kScoreThreads)
    SoftmaxForwardKernel(const __grid_constant__ SoftmaxForward call) {
  __shared__ float largest_of_warps[kScoreWarps];
  __shared__ float sums_of_warps[kScoreWarps];
  const auto width = static_cast<int32_t>(call.width);
  const int32_t row_keys = RowKeys(call);
  const int64_t begin = int64_t{blockIdx.x} * width;
  // Without keys all are alike.
  const float scale_log2 = row_keys > 0 ? call.scale * tiles::kLog2E : 0.0F;
  const int32_t keys = row_keys > 0 ? row_keys : width;
  Eight x[kVectors];
  float largest = -INFINITY;
#pragma unroll
  for (int i = 0; i < kVectors; ++i) {
    const int32_t column = i * kScoresAtOnce + static_cast<int32_t>(threadIdx.x) * kVector;
    x[i] = column < width ? tiles::LoadEight(call.scores + begin + column) : Eight{};
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
    tiles::StoreEight(call.probabilities + begin + column, x[i]);
    tiles::StoreEight(call.rounded + begin + column, x[i]);
  }
}

/// As SoftmaxForwardKernel.
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
    p[i] = tiles::LoadEight(call.probabilities + begin + column);
    grad[i] = tiles::LoadEight(call.grad + begin + column);
#pragma unroll
    for (int e = 0; e < kVector; ++e) dot = fmaf(p[i].values[e], grad[i].values[e], dot);
  }
  dot = JoinBlock(dot, dots_of_warps, [](float a, float b) { return a + b; });
  const float scale = RowKeys(call) > 0 ? call.scale : 0.0F;
#pragma unroll
  for (int i = 0; i < kVectors; ++i) {
    const int32_t column = i * kScoresAtOnce + static_cast<int32_t>(threadIdx.x) * kVector;
    if (column >= width) continue;
#pragma unroll
    for (int e = 0; e < kVector; ++e) {
      grad[i].values[e] = scale * p[i].values[e] * (grad[i].values[e] - dot);
    }
    tiles::StoreEight(call.grad + begin + column, grad[i]);
  }
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_MATERIALISED_SOFTMAX_CUDA_SOFTMAX_CUH_
