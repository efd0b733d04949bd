// What a warp multiplies of a block at once, and the way from a block size at run time to the
// template of it. For host code and device code.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_COMMON_BLOCK_H_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_COMMON_BLOCK_H_

#include <cstdint>

namespace spion::cuda {

/// Rows, and columns, of a tile of scores.
constexpr int kChunk = 16;

/// Returns f.operator()<b>(), a lambda [&]<int kBlock>() {..}, for a b that TakesBlockSizeOfGpu.
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
