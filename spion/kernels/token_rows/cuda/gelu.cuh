// GELU and its slope.
//
//   P(x) = (1 + erf(x / sqrt(2))) / 2       T(x) = P(-|x|)
//   gelu(x) = x P(x) = max(x, 0) - |x| T(x)
//   gelu'(x) = P(x) + x exp(-x^2 / 2) / sqrt(2 pi)
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_GELU_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_GELU_CUH_

#include <cmath>
#include <type_traits>

#include "spion/kernels/common/number.h"
#include "spion/kernels/cuda_tiles/instructions.cuh"

namespace spion::cuda {

/// T(x): 2 to the power of a polynomial in |x|, fitted on [0, 6] by least squares, reweighted until
/// the largest error was least; beyond, it falls to 0 as T does. erff has twice the instructions of
/// all this, and would take longer than the memory. Number: what the result is rounded to; for
/// float it is right to 1.5e-7, for BFloat16 to 2e-6.
template <typename Number>
__device__ __forceinline__ float NormalTail(float x) {
  const float a = fabsf(x);
  float power;
  if constexpr (std::is_same_v<Number, BFloat16>) {
    power = -4.9162999e-04F;
    power = fmaf(power, a, 7.2239898e-03F);
    power = fmaf(power, a, -5.2209664e-02F);
    power = fmaf(power, a, -0.45953164F);
    power = fmaf(power, a, -1.1510228F);
  } else {
    power = -2.35751218e-06F;
    power = fmaf(power, a, 3.38986476e-05F);
    power = fmaf(power, a, -1.6142161e-04F);
    power = fmaf(power, a, -1.93257825e-04F);
    power = fmaf(power, a, 7.13178052e-03F);
    power = fmaf(power, a, -5.25392661e-02F);
    power = fmaf(power, a, -0.459195677F);
    power = fmaf(power, a, -1.15110641F);
  }
  return tiles::Exp2(fmaf(power, a, -1.0F));
}

__device__ __forceinline__ float Gelu(float x, float tail) {
  return fmaf(-fabsf(x), tail, fmaxf(x, 0));
}

__device__ __forceinline__ float GeluSlope(float x, float tail) {
  constexpr float kHalfLog2 = 0.72134752F;     // log2(e) / 2
  constexpr float kLog2Density = -1.3257481F;  // of 1 / sqrt(2 pi)
  const float density = tiles::Exp2(fmaf(x * x, -kHalfLog2, kLog2Density));
  return fmaf(x, density, x < 0 ? tail : 1 - tail);
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_GELU_CUH_
