// Which kernels a call takes, and with which grids: decided here for both passes, without a GPU.
// cuda.cc asks for Hopper's; launch.cuh starts what a plan says, and the emulated test runs it.
// The kernels for Hopper have hopper/plan.h.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_PLAN_H_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_PLAN_H_

#include "spion/kernels/block_sparse/cuda/common/launch_plan.h"
#include "spion/kernels/block_sparse/problem.h"

namespace spion::cuda {

// T is Float16, BFloat16 or float.

enum class Pass { kForward, kBackward };

/// Whether a GPU of compute capability 9.0 takes the kernels for it. Of any problem.
template <typename T>
bool HasWarpgroups(const BlockSparseProblem& problem, Pass pass);

// Of valid problems: cuda.cc has checked.

/// The design for a pass; is_hopper: the GPU is of compute capability 9.0.
template <typename T>
Design DesignOf(const BlockSparseProblem& problem, Pass pass, bool is_hopper);

/// The launches of one slice of a problem (common/slices.h) whose design is kLines or kWarps: at
/// most two, of which the first has the long lines. Thread blocks along x are lines or parts of
/// them, y are heads, z examples.
template <typename T>
LaunchPlan PlanForward(const BlockSparseProblem& problem);
template <typename T>
LaunchPlan PlanBackward(const BlockSparseProblem& problem);

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_PLAN_H_
