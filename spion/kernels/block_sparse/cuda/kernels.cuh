// The kernels that a plan names, as functions of a call and PlannedLaunch::argument.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_KERNELS_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_KERNELS_CUH_

#include <cstdint>
#include <type_traits>

#include "spion/kernels/block_sparse/cuda/common/block.h"
#include "spion/kernels/block_sparse/cuda/common/launch_plan.h"
#include "spion/kernels/block_sparse/cuda/line/backward.cuh"
#include "spion/kernels/block_sparse/cuda/line/forward.cuh"
#include "spion/kernels/block_sparse/cuda/line/traits.h"
#include "spion/kernels/block_sparse/cuda/warp/backward.cuh"
#include "spion/kernels/block_sparse/cuda/warp/forward.cuh"
#include "spion/kernels/block_sparse/cuda/warp/traits.h"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/cuda_tiles/math.cuh"

namespace spion::cuda {

template <typename Call>
using KernelPointer = void (*)(Call, int32_t);

/// A pass's kernels, by the type of its call.
template <typename Call>
struct KernelsOf;
template <typename T>
struct KernelsOf<BlockSparseForward<T>> {
  template <int kHeadDim, int kBlock>
  using LineTraits = LineForwardTraits<T, kHeadDim, kBlock>;
  template <int kHeadDim, int kBlock, int kGroups>
  static KernelPointer<BlockSparseForward<T>> Line() {
    return LineForwardKernel<T, kHeadDim, kBlock, kGroups>;
  }
  template <class Math, int kHeadDim, int kTiles>
  static KernelPointer<BlockSparseForward<T>> Warp() {
    return ForwardKernel<Math, kHeadDim, kTiles>;
  }
};
template <typename T>
struct KernelsOf<BlockSparseBackward<T>> {
  template <int kHeadDim, int kBlock>
  using LineTraits = LineBackwardTraits<T, kHeadDim, kBlock>;
  template <int kHeadDim, int kBlock, int kGroups>
  static KernelPointer<BlockSparseBackward<T>> Line() {
    return LineBackwardKernel<T, kHeadDim, kBlock, kGroups>;
  }
  template <class Math, int kHeadDim, int kTiles>
  static KernelPointer<BlockSparseBackward<T>> Warp() {
    return BackwardKernel<Math, kHeadDim, kTiles>;
  }
};

/// Exact fp32 has no kernels by lines: its products have another way of bringing operands together.
template <class Math, int kHeadDim, int kBlock>
constexpr bool kGoesByLines =
    !std::is_same_v<Math, tiles::MathF32> && kHasLines<typename Math::Element, kHeadDim, kBlock>;

/// The kernel of a launch whose block size is kBlock; null if Math has none such.
template <class Math, int kHeadDim, int kBlock, typename Call>
KernelPointer<Call> FindKernel(const KernelId& id) {
  using Kernels = KernelsOf<Call>;
  constexpr bool kIsByLines = kGoesByLines<Math, kHeadDim, kBlock>;
  if (id.design != (kIsByLines ? Design::kLines : Design::kWarps)) return nullptr;
  if constexpr (kIsByLines) {
    constexpr int kGroups = Kernels::template LineTraits<kHeadDim, kBlock>::kLongGroups;
    if (id.share == 1) return Kernels::template Line<kHeadDim, kBlock, 1>();
    if (id.share == kGroups) return Kernels::template Line<kHeadDim, kBlock, kGroups>();
  } else {
    constexpr int kTiles = kMaxTiles<typename Math::Element, kHeadDim>;
    if (id.share == 1) return Kernels::template Warp<Math, kHeadDim, 1>();
    if (id.share == kTiles) return Kernels::template Warp<Math, kHeadDim, kTiles>();
  }
  return nullptr;
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_KERNELS_CUH_
