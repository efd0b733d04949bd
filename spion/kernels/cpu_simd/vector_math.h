// Loads, stores, and the exponential and logarithm on vectors, for a Simd type of simd_*.h.
//
// Included only by files that are compiled for one instruction set. Everything is a template over
// Simd, and nothing of the standard library is used, so that no function compiled for a newer
// processor can be linked into code for an older one.
#ifndef SPION_KERNELS_CPU_SIMD_VECTOR_MATH_H_
#define SPION_KERNELS_CPU_SIMD_VECTOR_MATH_H_

#include <cstdint>

namespace spion::cpu_simd {

inline constexpr float kLog2E = 1.44269504088896341F;
inline constexpr float kLn2 = 0.693147180559945309F;

template <class Simd>
[[gnu::always_inline]] inline typename Simd::Float Load(const float* from) {
  typename Simd::Float x;
  __builtin_memcpy(&x, from, sizeof(x));
  return x;
}

template <class Simd>
[[gnu::always_inline]] inline void Store(float* to, typename Simd::Float x) {
  __builtin_memcpy(to, &x, sizeof(x));
}

template <class Simd>
[[gnu::always_inline]] inline typename Simd::Float Broadcast(float x) {
  return x - typename Simd::Float{};
}

template <class Simd>
[[gnu::always_inline]] inline typename Simd::Float Max(typename Simd::Float a,
                                                       typename Simd::Float b) {
  return a > b ? a : b;
}

/// 2^x for x < 128, to 2 units in the last place (2.5 without fused multiply-add); 0 for x < -125,
/// where the result would leave the normal range. NaN stays NaN.
template <class Simd>
[[gnu::always_inline]] inline typename Simd::Float Exp2(typename Simd::Float x) {
  using Float = typename Simd::Float;
  using Bits = typename Simd::Bits;
  // Adding 1.5 * 2^23 leaves round(x) in the low bits of the sum.
  const Float round = Broadcast<Simd>(12582912.0F);
  const Float shifted = x + round;
  const Float f = x - (shifted - round);  // in [-0.5, 0.5]
  // Minimax polynomial of degree 5 for 2^f, with the constant term 1: relative error 9.2e-8.
  Float p = Broadcast<Simd>(0.001326473082F);
  p = p * f + 0.009671515595F;
  p = p * f + 0.05550733762F;
  p = p * f + 0.2402224204F;
  p = p * f + 0.6931469776F;
  p = p * f + 1.0F;
  // Times 2^round(x): add it to the exponent field.
  const Bits bits = reinterpret_cast<Bits>(p) + (reinterpret_cast<Bits>(shifted) << 23);
  return x < -125.0F ? Float{} : reinterpret_cast<Float>(bits);
}

/// log2(x) for normal positive x, to 3 units in the last place (absolute 2^-23 near x = 1).
template <class Simd>
[[gnu::always_inline]] inline typename Simd::Float Log2(typename Simd::Float x) {
  using Float = typename Simd::Float;
  using Int = typename Simd::Int;
  using Bits = typename Simd::Bits;
  // x = 2^exponent * m with m in [sqrt(1/2), sqrt(2)); 0x3f3504f3 is sqrt(1/2).
  const Bits bits = reinterpret_cast<Bits>(x);
  const Int exponent = reinterpret_cast<Int>(bits - 0x3f3504f3U) >> 23;
  const Float m = reinterpret_cast<Float>(bits - (reinterpret_cast<Bits>(exponent) << 23));
  // log(m) = 2 atanh(s) with s = (m - 1) / (m + 1), |s| < 0.172: the series to s^9 is exact in
  // fp32.
  const Float s = (m - 1.0F) / (m + 1.0F);
  const Float s2 = s * s;
  Float p = s2 * (1.0F / 9.0F) + (1.0F / 7.0F);
  p = p * s2 + (1.0F / 5.0F);
  p = p * s2 + (1.0F / 3.0F);
  p = p * s2 + 1.0F;
  return __builtin_convertvector(exponent, Float) + s * p * (2.0F * kLog2E);
}

}  // namespace spion::cpu_simd

#endif  // SPION_KERNELS_CPU_SIMD_VECTOR_MATH_H_
