// GELU, then dropout, in one pass, and the gradient of both.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_GELU_DROPOUT_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_GELU_DROPOUT_CUH_

#include <cstdint>

#include "spion/kernels/cuda_tiles/vectors.cuh"
#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/dropout.cuh"
#include "spion/kernels/token_rows/cuda/gelu.cuh"

namespace spion::cuda {

constexpr int kGeluThreads = 256;
constexpr int kEightsPerThread = 2;  // whose loads are under way together
constexpr int64_t kEightsPerBlock = kGeluThreads * kEightsPerThread;

static_assert(kGeluUnit == 8);

/// Which eight numbers of all are the thread's i-th.
__device__ __forceinline__ int64_t EightOf(int i) {
  return int64_t{blockIdx.x} * kEightsPerBlock + i * kGeluThreads + threadIdx.x;
}

/// Grid: thread blocks of kGeluThreads, each of kEightsPerBlock times 8 of the call's `count`
/// numbers.
template <typename T>
__global__ void __launch_bounds__(kGeluThreads)
    GeluDropoutForwardKernel(const __grid_constant__ GeluDropoutForward<T> call) {
  const int64_t eights = call.count / 8;
  tiles::Eight x[kEightsPerThread] = {};
#pragma unroll
  for (int i = 0; i < kEightsPerThread; ++i) {
    if (EightOf(i) < eights) x[i] = tiles::LoadEight(call.x + 8 * EightOf(i));
  }
  const Dropper dropper(call.dropout);
#pragma unroll
  for (int i = 0; i < kEightsPerThread; ++i) {
    const int64_t eight = EightOf(i);
    if (eight >= eights) return;
#pragma unroll
    for (float& v : x[i].values) v = Gelu(v, NormalTail<T>(v));
    dropper.DropEight(eight, x[i]);
    tiles::StoreEight(call.out + 8 * eight, x[i]);
  }
}

/// As GeluDropoutForwardKernel.
template <typename T>
__global__ void __launch_bounds__(kGeluThreads)
    GeluDropoutBackwardKernel(const __grid_constant__ GeluDropoutBackward<T> call) {
  const int64_t eights = call.count / 8;
  tiles::Eight x[kEightsPerThread] = {};
  tiles::Eight grad[kEightsPerThread] = {};
#pragma unroll
  for (int i = 0; i < kEightsPerThread; ++i) {
    const int64_t eight = EightOf(i);
    if (eight >= eights) continue;
    x[i] = tiles::LoadEight(call.x + 8 * eight);
    grad[i] = tiles::LoadEight(call.grad_out + 8 * eight);
  }
  const Dropper dropper(call.dropout);
#pragma unroll
  for (int i = 0; i < kEightsPerThread; ++i) {
    const int64_t eight = EightOf(i);
    if (eight >= eights) return;
    dropper.DropEight(eight, grad[i]);
#pragma unroll
    for (int e = 0; e < 8; ++e) {
      const float v = x[i].values[e];
      grad[i].values[e] *= GeluSlope(v, NormalTail<T>(v));
    }
    tiles::StoreEight(call.grad_x + 8 * eight, grad[i]);
  }
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_GELU_DROPOUT_CUH_
