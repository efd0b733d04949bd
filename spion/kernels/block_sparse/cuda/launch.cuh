// The launches of one kind of number. Each .cu file instantiates one, so that they compile side by
// side.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_LAUNCH_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_LAUNCH_CUH_

#include <cuda_runtime.h>

#include <bit>
#include <type_traits>

#include "spion/kernels/block_sparse/cuda/common/shared_memory.cuh"
#include "spion/kernels/block_sparse/cuda/line/launch.cuh"
#include "spion/kernels/block_sparse/cuda/warp/backward.cuh"
#include "spion/kernels/block_sparse/cuda/warp/forward.cuh"
#include "spion/kernels/common/head_dim.h"

namespace spion::cuda {

/// `kernel` takes the call and the logarithm of the units a line; a warp has a ring of ring_bytes.
template <typename Kernel, typename Call>
cudaError_t Launch(Kernel kernel, const Call& call, int32_t long_lines, int64_t units_a_line,
                   int ring_bytes, cudaStream_t stream) {
  const BlockSparseProblem& problem = call.problem;
  const int shared_bytes = kWarps * ring_bytes;
  constexpr int kGrantedBytes = 32 * 1024;  // with the static part, below 48 KiB
  const cudaError_t error = AllowSharedMemory(kernel, shared_bytes, kGrantedBytes);
  if (error != cudaSuccess) return error;
  const dim3 grid(static_cast<unsigned>(
                      ThreadBlocksAHead(problem.pattern.blocks_per_side, long_lines, units_a_line)),
                  static_cast<unsigned>(problem.heads), static_cast<unsigned>(problem.batch));
  kernel<<<grid, kThreads, shared_bytes, stream>>>(
      call, std::countr_zero(static_cast<uint64_t>(units_a_line)));
  return cudaGetLastError();
}

/// 32 rows a warp where a thread's share of 16 is at most 8 registers, for blocks of as many.
/// 16-bit numbers of such head dimensions go by lines.
template <class Math, int kHeadDim>
constexpr bool kFitsTwoTiles = sizeof(typename Math::Element) == 4 && kHeadDim == 16;

constexpr int kMostBlock = 128;

/// Exact fp32 has none: its products have another way of bringing operands together.
template <class Math, int kHeadDim, int kBlock>
constexpr bool kHasLines =
    !std::is_same_v<Math, tiles::MathF32> && HasLines<typename Math::Element>(kHeadDim, kBlock);

template <class Math, int kHeadDim, int kTiles>
cudaError_t LaunchTiles(const BlockSparseForward<typename Math::Element>& call,
                        cudaStream_t stream) {
  return Launch(ForwardKernel<Math, kHeadDim, kTiles>, call,
                call.problem.pattern.schedule.long_rows,
                call.problem.block_size / (kTiles * kChunk),
                ForwardTraits<Math, kHeadDim, kTiles>::kRingBytes, stream);
}
template <class Math, int kHeadDim, int kTiles>
cudaError_t LaunchTiles(const BlockSparseBackward<typename Math::Element>& call,
                        cudaStream_t stream) {
  return Launch(BackwardKernel<Math, kHeadDim, kTiles>, call,
                call.problem.pattern.schedule.long_lines,
                2 * call.problem.block_size / (kTiles * kChunk),
                BackwardTraits<Math, kHeadDim, kTiles>::kRingBytes, stream);
}

template <class Math, int kHeadDim, typename Call>
cudaError_t LaunchOf(const Call& call, cudaStream_t stream) {
  if constexpr (kHasLines<Math, kHeadDim, kChunk>) {
    if (HasLines<typename Math::Element>(kHeadDim, call.problem.block_size)) {
      return LaunchLinesOf<kHeadDim>(call, stream);
    }
  }
  if constexpr (kFitsTwoTiles<Math, kHeadDim>) {
    if (call.problem.block_size > kChunk) return LaunchTiles<Math, kHeadDim, 2>(call, stream);
  }
  if constexpr (kHasLines<Math, kHeadDim, kMostBlock>) {
    return cudaErrorInvalidValue;
  } else {
    return LaunchTiles<Math, kHeadDim, 1>(call, stream);
  }
}

/// Forward or backward, by the type of the call.
template <class Math, typename Call>
cudaError_t LaunchAs(const Call& call, cudaStream_t stream) {
  return DispatchHeadDim(call.problem.head_dim,
                         [&]<int kHeadDim>() { return LaunchOf<Math, kHeadDim>(call, stream); });
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_LAUNCH_CUH_
