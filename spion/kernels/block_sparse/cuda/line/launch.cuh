// The launches of the kernels by lines, lines.cuh. T is float for products in tf32.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_LAUNCH_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_LAUNCH_CUH_

#include <cuda_runtime.h>

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/common/shared_memory.cuh"
#include "spion/kernels/block_sparse/cuda/line/backward.cuh"
#include "spion/kernels/block_sparse/cuda/line/forward.cuh"

namespace spion::cuda {

/// Whether the current GPU has programmatic dependent launch.
inline cudaError_t CanOverlapKernels(bool& can) {
  constexpr int kHopper = 9;
  int device = 0;
  int major = 0;
  const cudaError_t error = cudaGetDevice(&device);
  if (error != cudaSuccess) return error;
  const cudaError_t no_attribute =
      cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
  can = major >= kHopper;
  return no_attribute;
}

/// Lines of a schedule: how many, and how many of them are long and come first.
struct LineCounts {
  int32_t all;
  int32_t are_long;
};

/// A thread block for each of `lines` lines from first_rank on. `overlaps`: may start when the
/// kernel before it says so.
template <typename Kernel, typename Call>
cudaError_t LaunchLines(Kernel kernel, const Call& call, int32_t first_rank, int32_t lines,
                        int threads, int shared_bytes, bool overlaps, cudaStream_t stream) {
  constexpr int kGrantedBytes = 48 * 1024;
  const cudaError_t error = AllowSharedMemory(kernel, shared_bytes, kGrantedBytes);
  if (error != cudaSuccess) return error;
  cudaLaunchAttribute attribute = {};
  attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attribute.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(static_cast<unsigned>(lines), static_cast<unsigned>(call.problem.heads),
                        static_cast<unsigned>(call.problem.batch));
  config.blockDim = dim3(static_cast<unsigned>(threads));
  config.dynamicSmemBytes = static_cast<size_t>(shared_bytes);
  config.stream = stream;
  config.attrs = &attribute;
  config.numAttrs = overlaps ? 1 : 0;
  return cudaLaunchKernelEx(&config, kernel, call, first_rank);
}

/// The long lines by `shared`, kGroups groups each, the others by `alone`.
template <int kGroups, typename Kernel, typename Call>
cudaError_t LaunchAllLines(Kernel shared, Kernel alone, const Call& call, LineCounts lines,
                           int group_threads, int group_bytes, cudaStream_t stream) {
  const int32_t in_groups = kGroups > 1 ? lines.are_long : 0;
  bool overlaps = false;
  if (in_groups > 0) {
    cudaError_t error = LaunchLines(shared, call, 0, in_groups, kGroups * group_threads,
                                    kGroups * group_bytes, false, stream);
    if (error == cudaSuccess) error = CanOverlapKernels(overlaps);
    if (error != cudaSuccess) return error;
  }
  if (in_groups == lines.all) return cudaSuccess;
  return LaunchLines(alone, call, in_groups, lines.all - in_groups, group_threads, group_bytes,
                     overlaps, stream);
}

template <typename T, int kHeadDim, int kBlock>
cudaError_t LaunchLinesOf(const BlockSparseForward<T>& call, cudaStream_t stream) {
  using Traits = LineForwardTraits<T, kHeadDim, kBlock>;
  static_assert(Traits::kGroupBytes <= kMostSharedBytes);
  constexpr int kGroups = Traits::kLongGroups;
  const BlockPatternView& pattern = call.problem.pattern;
  return LaunchAllLines<kGroups>(LineForwardKernel<T, kHeadDim, kBlock, kGroups>,
                                 LineForwardKernel<T, kHeadDim, kBlock, 1>, call,
                                 {pattern.blocks_per_side, pattern.schedule.long_rows},
                                 kGroupThreads<kBlock>, Traits::kGroupBytes, stream);
}

template <typename T, int kHeadDim, int kBlock>
cudaError_t LaunchLinesOf(const BlockSparseBackward<T>& call, cudaStream_t stream) {
  using Traits = LineBackwardTraits<T, kHeadDim, kBlock>;
  static_assert(Traits::kGroupBytes <= kMostSharedBytes);
  constexpr int kGroups = Traits::kLongGroups;
  const BlockPatternView& pattern = call.problem.pattern;
  return LaunchAllLines<kGroups>(LineBackwardKernel<T, kHeadDim, kBlock, kGroups>,
                                 LineBackwardKernel<T, kHeadDim, kBlock, 1>, call,
                                 {pattern.blocks_per_side, pattern.schedule.long_lines},
                                 kGroupThreads<kBlock>, Traits::kGroupBytes, stream);
}

/// Whether there are such kernels: whether a group's blocks fit shared memory.
template <typename T>
constexpr bool HasLines(int64_t head_dim, int64_t block_size) {
  if (sizeof(T) == sizeof(float)) return head_dim == 32 && block_size <= 64;
  return head_dim <= 32 || (head_dim == 64 && block_size <= 64);
}

/// Forward or backward, by the type of the call, for which HasLines holds.
template <int kHeadDim, template <typename> class Call, typename T>
cudaError_t LaunchLinesOf(const Call<T>& call, cudaStream_t stream) {
  switch (call.problem.block_size) {
    case 16:
      return LaunchLinesOf<T, kHeadDim, 16>(call, stream);
    case 32:
      return LaunchLinesOf<T, kHeadDim, 32>(call, stream);
    case 64:
      return LaunchLinesOf<T, kHeadDim, 64>(call, stream);
    case 128:
      if constexpr (HasLines<T>(kHeadDim, 128)) {
        return LaunchLinesOf<T, kHeadDim, 128>(call, stream);
      }
      break;
    default:
      break;
  }
  return cudaErrorInvalidValue;
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_LAUNCH_CUH_
