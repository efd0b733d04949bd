// GELU and its slope.
//
//   P(x) = (1 + erf(x / sqrt(2))) / 2       gelu(x) = x P(x)
//   gelu'(x) = P(x) + x exp(-x^2 / 2) / sqrt(2 pi)
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_GELU_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_GELU_CUH_

#include <cmath>

#include "spion/kernels/cuda_tiles/instructions.cuh"

namespace spion::cuda {

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

/// gelu'(x), P(x) being given.
__device__ __forceinline__ float GeluSlope(float x, float probability) {
  constexpr float kHalfLog2 = 0.72134752F;  // log2(e) / 2
  constexpr float kDensity = 0.39894228F;   // 1 / sqrt(2 pi)
  return fmaf(x, kDensity * tiles::Exp2(-kHalfLog2 * x * x), probability);
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_GELU_CUH_
