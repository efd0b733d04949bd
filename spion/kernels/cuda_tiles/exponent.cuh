// Exponentials are powers of two, which the GPU has an instruction for: exp(x) = 2^(x log2 e).
#ifndef SPION_KERNELS_CUDA_TILES_EXPONENT_CUH_
#define SPION_KERNELS_CUDA_TILES_EXPONENT_CUH_

#include <cmath>

#include "spion/kernels/cuda_tiles/instructions.cuh"

namespace spion::tiles {

constexpr float kLog2E = 1.4426950408889634F;
constexpr float kLn2 = 0.6931471805599453F;

/// 2^x to two units in the last place, for x below 127, by additions and multiplications alone:
/// where the special function unit is the limit, some exponentials may take this way (as in
/// FlashAttention-4). Below -126, and of NaN: 2^-126.
__device__ __forceinline__ float Exp2ByArithmetic(float x) {
  constexpr float kShift = 0x1.8p23F;  // a number of this size has its whole part in its low bits
  const float from = fmaxf(x, -126.0F);
  const float shifted = from + kShift;
  const float fraction = from - (shifted - kShift);  // at most a half
  // 2^fraction, by the polynomial whose largest relative error, 7.5e-8, is least.
  float power = 0.0013276472F;
  power = fmaf(power, fraction, 0.0096755413F);
  power = fmaf(power, fraction, 0.055507133F);
  power = fmaf(power, fraction, 0.2402212F);
  power = fmaf(power, fraction, 0.69314697F);
  power = fmaf(power, fraction, 1.0000001F);
  return __uint_as_float(__float_as_uint(power) + (__float_as_uint(shifted) << 23));
}

}  // namespace spion::tiles

#endif  // SPION_KERNELS_CUDA_TILES_EXPONENT_CUH_
