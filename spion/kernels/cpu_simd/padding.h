// The key padding of one example, as a plain struct for files of any instruction set.
#ifndef SPION_KERNELS_CPU_SIMD_PADDING_H_
#define SPION_KERNELS_CPU_SIMD_PADDING_H_

#include <cstdint>

namespace spion::cpu_simd {

/// Keys at and after `length` are padding, and those whose flag is 0 (no flags: none).
struct Padding {
  int64_t length;
  const uint8_t* flags;
};

}  // namespace spion::cpu_simd

#endif  // SPION_KERNELS_CPU_SIMD_PADDING_H_
