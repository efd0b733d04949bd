// Four lanes, for any processor: SSE2 on x86-64, NEON on AArch64, scalars elsewhere.
#ifndef SPION_KERNELS_CPU_SIMD_SIMD_PORTABLE_H_
#define SPION_KERNELS_CPU_SIMD_SIMD_PORTABLE_H_

#include <cstdint>

namespace spion::cpu_simd {

/// Vector type, lane moves and tile size. The kernels are templates over this type, so each build
/// of them has its own symbols: the linker can never give one build's code to another.
struct Portable {
  static constexpr int kLanes = 4;
  /// A tile of kTileRows x kTileVectors accumulators, 4 x 2, and its operands fit the registers.
  static constexpr int kTileRows = 4;
  static constexpr int kTileVectors = 2;

  using Float [[gnu::vector_size(16)]] = float;
  using Int [[gnu::vector_size(16)]] = int32_t;
  using Bits [[gnu::vector_size(16)]] = uint32_t;

  /// a0 b0 a1 b1 ... of the lower halves.
  [[gnu::always_inline]] static inline Float InterleaveLow(Float a, Float b) {
    return __builtin_shufflevector(a, b, 0, 4, 1, 5);
  }
  /// The same of the upper halves.
  [[gnu::always_inline]] static inline Float InterleaveHigh(Float a, Float b) {
    return __builtin_shufflevector(a, b, 2, 6, 3, 7);
  }
};

}  // namespace spion::cpu_simd

#endif  // SPION_KERNELS_CPU_SIMD_SIMD_PORTABLE_H_
