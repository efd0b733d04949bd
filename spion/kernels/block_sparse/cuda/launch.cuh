// Starts the launches of a plan, for one kind of number. Each .cu file instantiates one, so that
// they compile side by side.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_LAUNCH_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_LAUNCH_CUH_

#include <cuda_runtime.h>

#include <cstddef>

#include "spion/kernels/block_sparse/cuda/common/block.h"
#include "spion/kernels/block_sparse/cuda/common/launch_plan.h"
#include "spion/kernels/block_sparse/cuda/kernels.cuh"
#include "spion/kernels/block_sparse/cuda/plan.h"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/common/head_dim.h"
#include "spion/kernels/cuda_launch/overlap.h"
#include "spion/kernels/cuda_launch/shared_memory.h"

namespace spion::cuda {

template <typename T>
LaunchPlan PlanOf(const BlockSparseForward<T>& call) {
  return PlanForward<T>(call.problem);
}
template <typename T>
LaunchPlan PlanOf(const BlockSparseBackward<T>& call) {
  return PlanBackward<T>(call.problem);
}

template <class Math, typename Call>
KernelPointer<Call> FindKernel(const BlockSparseProblem& problem, const KernelId& id) {
  return DispatchHeadDim(problem.head_dim, [&]<int kHeadDim>() {
    return DispatchBlock(problem.block_size, [&]<int kBlock>() {
      return FindKernel<Math, kHeadDim, kBlock, Call>(id);
    });
  });
}

/// Dynamic shared memory that a design's kernels have without asking: the kernels of warps have
/// static shared memory besides.
constexpr int GrantedBytes(Design design) {
  return design == Design::kLines ? 48 * 1024 : 32 * 1024;
}

template <typename Call>
cudaError_t Start(KernelPointer<Call> kernel, const PlannedLaunch& launch, bool overlaps,
                  const Call& call, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(launch.grid.x), static_cast<unsigned>(launch.grid.y),
                  static_cast<unsigned>(launch.grid.z));
  return StartKernel(kernel, grid, static_cast<unsigned>(launch.threads),
                     static_cast<size_t>(launch.shared_bytes), stream, overlaps, call,
                     launch.argument);
}

/// Forward or backward, by the type of the call. What the device may refuse is asked for before the
/// first launch.
template <class Math, typename Call>
cudaError_t LaunchAs(const Call& call, cudaStream_t stream) {
  const LaunchPlan plan = PlanOf(call);
  KernelPointer<Call> kernels[LaunchPlan::kMaxLaunches] = {};
  bool wants_overlap = false;
  for (int i = 0; i < plan.size(); ++i) {
    const PlannedLaunch& launch = plan[i];
    kernels[i] = FindKernel<Math, Call>(call.problem, launch.kernel);
    if (kernels[i] == nullptr) return cudaErrorInvalidDeviceFunction;
    const cudaError_t error =
        AllowSharedMemory(kernels[i], launch.shared_bytes, GrantedBytes(launch.kernel.design));
    if (error != cudaSuccess) return error;
    wants_overlap = wants_overlap || launch.overlaps;
  }
  bool can_overlap = false;
  if (wants_overlap) {
    const cudaError_t error = CanOverlapKernels(can_overlap);
    if (error != cudaSuccess) return error;
  }
  for (int i = 0; i < plan.size(); ++i) {
    const cudaError_t error =
        Start(kernels[i], plan[i], plan[i].overlaps && can_overlap, call, stream);
    if (error != cudaSuccess) return error;
  }
  return cudaSuccess;
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_LAUNCH_CUH_
