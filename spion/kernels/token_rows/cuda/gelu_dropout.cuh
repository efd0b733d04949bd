// GELU, then dropout, in one pass, and the gradient of both.
//
//   P(x) = (1 + erf(x / sqrt(2))) / 2       gelu(x) = x P(x)
//   gelu'(x) = P(x) + x exp(-x^2 / 2) / sqrt(2 pi)
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_GELU_DROPOUT_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_GELU_DROPOUT_CUH_

#include <cmath>
#include <cstdint>

#include "spion/kernels/cuda_tiles/vectors.cuh"
#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/dropout.cuh"

namespace spion::cuda {

constexpr int kGeluThreads = 256;
constexpr int kEightsPerThread = 2;  // whose loads are under way together
constexpr int64_t kEightsPerBlock = kGeluThreads * kEightsPerThread;

static_assert(kGeluUnit == 8);

/// Which eight numbers of all are the thread's i-th.
__device__ __forceinline__ int64_t EightOf(int i) {
  return int64_t{blockIdx.x} * kEightsPerBlock + i * kGeluThreads + threadIdx.x;
}

/// P(x) to 1.5e-7. P(-|x|) is 2 to the power of a polynomial, fitted on [0, 6] by least squares,
/// reweighted until the largest error was least; beyond, it falls to 0 as P does. erff has twice
/// the instructions of all this, and would take longer than the memory.
__device__ __forceinline__ float NormalProbability(float x) {
  const float a = fabsf(x);
  float power = -2.35751218e-06F;
  power = fmaf(power, a, 3.38986476e-05F);
  power = fmaf(power, a, -1.6142161e-04F);
  power = fmaf(power, a, -1.93257825e-04F);
  power = fmaf(power, a, 7.13178052e-03F);
  power = fmaf(power, a, -5.25392661e-02F);
  power = fmaf(power, a, -0.459195677F);
  power = fmaf(power, a, -1.15110641F);
  power = fmaf(power, a, -1.0F);
  const float below = tiles::Exp2(power);
  return x < 0 ? below : 1 - below;
}

__device__ __forceinline__ void DropEight(const Dropper& dropper, int64_t eight,
                                          tiles::Eight& numbers) {
  if (!dropper.drops()) return;
  const uint4 bits = dropper.Draw(eight);
  float(&v)[8] = numbers.values;
  dropper.Apply(bits.x, v[0], v[1]);
  dropper.Apply(bits.y, v[2], v[3]);
  dropper.Apply(bits.z, v[4], v[5]);
  dropper.Apply(bits.w, v[6], v[7]);
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
    for (float& v : x[i].values) v *= NormalProbability(v);
    DropEight(dropper, eight, x[i]);
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
    DropEight(dropper, eight, grad[i]);
#pragma unroll
    for (int e = 0; e < 8; ++e) {
      const float v = x[i].values[e];
      constexpr float kHalfLog2 = 0.72134752F;  // log2(e) / 2
      constexpr float kDensity = 0.39894228F;   // 1 / sqrt(2 pi)
      const float density = kDensity * tiles::Exp2(-kHalfLog2 * v * v);
      grad[i].values[e] *= fmaf(v, density, NormalProbability(v));
    }
    tiles::StoreEight(call.grad_x + 8 * eight, grad[i]);
  }
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_GELU_DROPOUT_CUH_
