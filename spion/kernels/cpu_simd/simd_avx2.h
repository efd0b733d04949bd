// Eight lanes: AVX2 with FMA.
#ifndef SPION_KERNELS_CPU_SIMD_SIMD_AVX2_H_
#define SPION_KERNELS_CPU_SIMD_SIMD_AVX2_H_

#include <cstdint>

#if defined(__x86_64__) && !defined(__AVX2__)
#error "Include this only in a file compiled for AVX2: see the BUILD file's copts."
#endif

namespace spion::cpu_simd {

/// Vector type, lane moves and tile size. The kernels are templates over this type, so each build
/// of them has its own symbols: the linker can never give one build's code to another.
struct Avx2 {
  static constexpr int kLanes = 8;
  /// A tile of kTileRows x kTileVectors accumulators, 4 x 2, and its operands fit the registers.
  static constexpr int kTileRows = 4;
  static constexpr int kTileVectors = 2;

  using Float [[gnu::vector_size(32)]] = float;
  using Int [[gnu::vector_size(32)]] = int32_t;
  using Bits [[gnu::vector_size(32)]] = uint32_t;

  /// a0 b0 a1 b1 ... of the lower halves.
  [[gnu::always_inline]] static inline Float InterleaveLow(Float a, Float b) {
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
  }
  /// The same of the upper halves.
  [[gnu::always_inline]] static inline Float InterleaveHigh(Float a, Float b) {
    return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  }
};

}  // namespace spion::cpu_simd

#endif  // SPION_KERNELS_CPU_SIMD_SIMD_AVX2_H_
