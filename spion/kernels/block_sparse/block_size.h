// Which blocks the kernels of block-sparse attention take: on a GPU some of those of the CPU.
#ifndef SPION_KERNELS_BLOCK_SPARSE_BLOCK_SIZE_H_
#define SPION_KERNELS_BLOCK_SPARSE_BLOCK_SIZE_H_

#include <cstdint>

namespace spion {

/// What a block size must be, for messages.
inline constexpr char kBlockSizes[] = "a multiple of 16 from 16 to 128";
/// Whether blocks of b x b can be computed.
constexpr bool TakesBlockSize(int64_t b) { return b >= 16 && b <= 128 && b % 16 == 0; }

/// The same on a GPU.
inline constexpr char kBlockSizesOfGpu[] = "16, 32, 64 or 128";
constexpr bool TakesBlockSizeOfGpu(int64_t b) { return b == 16 || b == 32 || b == 64 || b == 128; }

}  // namespace spion

#endif  // SPION_KERNELS_BLOCK_SPARSE_BLOCK_SIZE_H_
