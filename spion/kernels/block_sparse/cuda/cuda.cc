// cuda::Forward and cuda::Backward: checks, then the launch.
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "spion/base/status.h"
#include "spion/kernels/block_sparse/api.h"
#include "spion/kernels/block_sparse/block_size.h"
#include "spion/kernels/block_sparse/cuda/common/slices.h"
#include "spion/kernels/block_sparse/cuda/hopper/launch.h"
#include "spion/kernels/block_sparse/cuda/hopper/shapes.h"
#include "spion/kernels/block_sparse/cuda/launch.h"
#include "spion/kernels/block_sparse/cuda/plan.h"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/common/number.h"
#include "spion/kernels/cuda_hopper/device.h"
#include "spion/kernels/cuda_launch/checks.h"

namespace spion::cuda {
namespace {

absl::Status CheckProblem(const BlockSparseProblem& problem) {
  RETURN_IF_ERROR(Validate(problem));
  const int64_t b = problem.block_size;
  if (!TakesBlockSizeOfGpu(b)) {
    return absl::InvalidArgumentError(
        absl::StrCat("block size ", b, " is not supported on a GPU: use ", kBlockSizesOfGpu));
  }
  if (problem.pattern.schedule.rows == nullptr || problem.pattern.schedule.lines == nullptr) {
    return absl::InvalidArgumentError("the pattern has no schedule: make it by MakeSchedule");
  }
  return absl::OkStatus();
}

/// Of no heads nothing runs: no slice, but here a grid of none, which CUDA refuses.
template <typename T>
bool RunsOnHopper(const BlockSparseProblem& problem, Pass pass) {
  return problem.batch * problem.heads > 0 && HasWarpgroups<T>(problem, pass) &&
         hopper::IsCurrentDevice();
}

HeadTensorSizes SizesOf(const BlockSparseProblem& problem) {
  return {problem.batch, problem.heads, problem.length};
}

}  // namespace

template <typename T>
absl::Status Forward(const BlockSparseForward<T>& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckProblem(call.problem));
  const HeadTensorSizes sizes = SizesOf(call.problem);
  RETURN_IF_ERROR(CheckHeadTensor("q", call.q, sizes));
  RETURN_IF_ERROR(CheckHeadTensor("k", call.k, sizes));
  RETURN_IF_ERROR(CheckHeadTensor("v", call.v, sizes));
  RETURN_IF_ERROR(CheckHeadTensor("out", call.out, sizes));
  if constexpr (sizeof(T) == sizeof(float)) {
    if (call.problem.float32 == Float32Math::kExact) {
      return StatusOfLaunch(InSlices(call, kGridLimits, [stream](const auto& slice) {
        return LaunchForwardExact(slice, stream);
      }));
    }
  } else if (RunsOnHopper<T>(call.problem, Pass::kForward)) {
    return StatusOfLaunch(hopper::LaunchForward(call, stream));
  }
  return StatusOfLaunch(InSlices(
      call, kGridLimits, [stream](const auto& slice) { return LaunchForward(slice, stream); }));
}

template <typename T>
int64_t BackwardScratchFloats(const BlockSparseProblem& problem, bool deterministic) {
  return RunsOnHopper<T>(problem, Pass::kBackward)
             ? hopper::BackwardScratchFloats(problem, deterministic)
             : 0;
}

template <typename T>
absl::Status Backward(const BlockSparseBackward<T>& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckProblem(call.problem));
  const HeadTensorSizes sizes = SizesOf(call.problem);
  RETURN_IF_ERROR(CheckHeadTensor("q", call.q, sizes));
  RETURN_IF_ERROR(CheckHeadTensor("k", call.k, sizes));
  RETURN_IF_ERROR(CheckHeadTensor("v", call.v, sizes));
  RETURN_IF_ERROR(CheckHeadTensor("out", call.out, sizes));
  RETURN_IF_ERROR(CheckHeadTensor("grad_out", call.grad_out, sizes));
  RETURN_IF_ERROR(CheckHeadTensor("grad_q", call.grad_q, sizes));
  RETURN_IF_ERROR(CheckHeadTensor("grad_k", call.grad_k, sizes));
  RETURN_IF_ERROR(CheckHeadTensor("grad_v", call.grad_v, sizes));
  if constexpr (sizeof(T) == sizeof(float)) {
    if (call.problem.float32 == Float32Math::kExact) {
      return StatusOfLaunch(InSlices(call, kGridLimits, [stream](const auto& slice) {
        return LaunchBackwardExact(slice, stream);
      }));
    }
  } else if (RunsOnHopper<T>(call.problem, Pass::kBackward)) {
    const int64_t scratch = BackwardScratchFloats<T>(call.problem, call.deterministic);
    if (scratch > 0 && call.scratch == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("scratch is missing: this GPU needs ", scratch,
                                                     " floats there, see BackwardScratchFloats"));
    }
    return StatusOfLaunch(hopper::LaunchBackward(call, stream));
  }
  return StatusOfLaunch(InSlices(
      call, kGridLimits, [stream](const auto& slice) { return LaunchBackward(slice, stream); }));
}

template absl::Status Forward(const BlockSparseForward<Float16>&, CUstream_st*);
template absl::Status Forward(const BlockSparseForward<BFloat16>&, CUstream_st*);
template absl::Status Forward(const BlockSparseForward<float>&, CUstream_st*);
template int64_t BackwardScratchFloats<Float16>(const BlockSparseProblem&, bool);
template int64_t BackwardScratchFloats<BFloat16>(const BlockSparseProblem&, bool);
template int64_t BackwardScratchFloats<float>(const BlockSparseProblem&, bool);
template absl::Status Backward(const BlockSparseBackward<Float16>&, CUstream_st*);
template absl::Status Backward(const BlockSparseBackward<BFloat16>&, CUstream_st*);
template absl::Status Backward(const BlockSparseBackward<float>&, CUstream_st*);

}  // namespace spion::cuda
