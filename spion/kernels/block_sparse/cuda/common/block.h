// The blocks that a GPU takes, and what a warp multiplies of one at once. For host code and device
// code.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_COMMON_BLOCK_H_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_COMMON_BLOCK_H_

#include <cstdint>

namespace spion::cuda {

/// Rows, and columns, of a tile of scores.
constexpr int kChunk = 16;

/// Whether a GPU takes blocks of b x b.
constexpr bool TakesBlock(int64_t b) { return b == 16 || b == 32 || b == 64 || b == 128; }

/// Returns f.operator()<b>(), a lambda [&]<int kBlock>() {..}, for a b that TakesBlock.
template <class F>
constexpr decltype(auto) DispatchBlock(int64_t b, F&& f) {
  switch (b) {
    case 16:
      return f.template operator()<16>();
    case 32:
      return f.template operator()<32>();
    case 64:
      return f.template operator()<64>();
    case 128:
      return f.template operator()<128>();
    default:
      break;
  }
  __builtin_unreachable();  // callers have checked
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_COMMON_BLOCK_H_
