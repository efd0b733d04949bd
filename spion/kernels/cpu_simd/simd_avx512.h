// Sixteen lanes: AVX-512.
#ifndef SPION_KERNELS_CPU_SIMD_SIMD_AVX512_H_
#define SPION_KERNELS_CPU_SIMD_SIMD_AVX512_H_

#include <cstdint>

#if defined(__x86_64__) && !defined(__AVX512F__)
#error "Include this only in a file compiled for AVX512: see the BUILD file's copts."
#endif

namespace spion::cpu_simd {

/// Vector type, lane moves and tile size. The kernels are templates over this type, so each build
/// of them has its own symbols: the linker can never give one build's code to another.
struct Avx512 {
  static constexpr int kLanes = 16;
  /// A tile of kTileRows x kTileVectors accumulators, 8 x 2, and its operands fit the registers.
  static constexpr int kTileRows = 8;
  static constexpr int kTileVectors = 2;

  using Float [[gnu::vector_size(64)]] = float;
  using Int [[gnu::vector_size(64)]] = int32_t;
  using Bits [[gnu::vector_size(64)]] = uint32_t;

  /// a0 b0 a1 b1 ... of the lower halves.
  [[gnu::always_inline]] static inline Float InterleaveLow(Float a, Float b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  }
  /// The same of the upper halves.
  [[gnu::always_inline]] static inline Float InterleaveHigh(Float a, Float b) {
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
                                   31);
  }
};

}  // namespace spion::cpu_simd

#endif  // SPION_KERNELS_CPU_SIMD_SIMD_AVX512_H_
