// The kinds of numbers that kernels take, as plain structs: host code and device code share them.
#ifndef SPION_KERNELS_COMMON_NUMBER_H_
#define SPION_KERNELS_COMMON_NUMBER_H_

#include <cstdint>

namespace spion {

/// Storage of IEEE half precision and of bfloat16; bits as LibTorch and CUDA have them.
struct Float16 {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};

/// How a GPU multiplies fp32 inputs: rounded to tf32 (10 bits of mantissa) on the tensor cores, or
/// in fp32 throughout, several times slower. The CPU is always exact.
enum class Float32Math { kTf32, kExact };

}  // namespace spion

#endif  // SPION_KERNELS_COMMON_NUMBER_H_
