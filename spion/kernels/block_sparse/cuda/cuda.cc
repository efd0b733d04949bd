// cuda::Forward and cuda::Backward: checks, then the launch.
#include <cuda_runtime_api.h>

#include <cmath>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "spion/base/status.h"
#include "spion/kernels/block_sparse/api.h"
#include "spion/kernels/block_sparse/cuda/launch.h"

namespace spion::cuda {
namespace {

constexpr int64_t kAlignmentBytes = 16;
constexpr int64_t kMostGridRows = 65535;
constexpr int64_t kMostHeadBytes = int64_t{1} << 32;

absl::Status CheckProblem(const BlockSparseProblem& problem) {
  RETURN_IF_ERROR(Validate(problem));
  const int64_t b = problem.block_size;
  if (b != 16 && b != 32 && b != 64 && b != 128) {
    return absl::InvalidArgumentError(
        absl::StrCat("block size ", b, " is not supported on a GPU: use 16, 32, 64 or 128"));
  }
  if (problem.batch > kMostGridRows || problem.heads > kMostGridRows) {
    return absl::InvalidArgumentError(
        absl::StrCat("batch = ", problem.batch, " and heads = ", problem.heads,
                     ": a GPU takes at most ", kMostGridRows, " of each; split the batch"));
  }
  if (!(problem.scale > 0) || !std::isfinite(problem.scale)) {
    return absl::InvalidArgumentError(
        absl::StrCat("scale = ", problem.scale, ": must be positive and finite"));
  }
  if (problem.pattern.schedule.rows == nullptr || problem.pattern.schedule.lines == nullptr) {
    return absl::InvalidArgumentError("the pattern has no schedule: make it by MakeSchedule");
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status CheckTensor(const BlockSparseProblem& problem, const char* name,
                         const HeadTensor<T>& tensor) {
  const auto element = static_cast<int64_t>(sizeof(T));
  const bool aligned =
      reinterpret_cast<uintptr_t>(tensor.data) % kAlignmentBytes == 0 &&
      tensor.row_stride * element % kAlignmentBytes == 0 &&
      (problem.heads == 1 || tensor.head_stride * element % kAlignmentBytes == 0) &&
      (problem.batch == 1 || tensor.batch_stride * element % kAlignmentBytes == 0);
  if (!aligned) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, " is not aligned: on a GPU every row must start at a multiple of ", kAlignmentBytes,
        " bytes, and this tensor starts ",
        reinterpret_cast<uintptr_t>(tensor.data) % kAlignmentBytes, " bytes after one, with rows ",
        tensor.row_stride, ", heads ", tensor.head_stride, ", examples ", tensor.batch_stride,
        " elements of ", element, " bytes apart; call .clone() on it"));
  }
  if (tensor.row_stride < 0 || tensor.head_stride < 0 || tensor.batch_stride < 0 ||
      problem.length * tensor.row_stride * element >= kMostHeadBytes ||
      tensor.head_stride >= kMostHeadBytes || tensor.batch_stride >= kMostHeadBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, " is spread too far: a head must span less than 4 GiB, and heads and examples must ",
        "be less than 2^32 elements apart; rows are ", tensor.row_stride, ", heads ",
        tensor.head_stride, ", examples ", tensor.batch_stride, " elements apart"));
  }
  return absl::OkStatus();
}

absl::Status FromCuda(cudaError_t error) {
  if (error == cudaSuccess) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("CUDA could not start the kernel: ", cudaGetErrorName(error), ", ",
                   cudaGetErrorString(error)));
}

}  // namespace

template <typename T>
absl::Status Forward(const BlockSparseForward<T>& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckProblem(call.problem));
  RETURN_IF_ERROR(CheckTensor(call.problem, "q", call.q));
  RETURN_IF_ERROR(CheckTensor(call.problem, "k", call.k));
  RETURN_IF_ERROR(CheckTensor(call.problem, "v", call.v));
  RETURN_IF_ERROR(CheckTensor(call.problem, "out", call.out));
  if constexpr (sizeof(T) == sizeof(float)) {
    if (call.problem.float32 == Float32Math::kExact) {
      return FromCuda(LaunchForwardExact(call, stream));
    }
  }
  return FromCuda(LaunchForward(call, stream));
}

template <typename T>
absl::Status Backward(const BlockSparseBackward<T>& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckProblem(call.problem));
  RETURN_IF_ERROR(CheckTensor(call.problem, "q", call.q));
  RETURN_IF_ERROR(CheckTensor(call.problem, "k", call.k));
  RETURN_IF_ERROR(CheckTensor(call.problem, "v", call.v));
  RETURN_IF_ERROR(CheckTensor(call.problem, "out", call.out));
  RETURN_IF_ERROR(CheckTensor(call.problem, "grad_out", call.grad_out));
  RETURN_IF_ERROR(CheckTensor(call.problem, "grad_q", call.grad_q));
  RETURN_IF_ERROR(CheckTensor(call.problem, "grad_k", call.grad_k));
  RETURN_IF_ERROR(CheckTensor(call.problem, "grad_v", call.grad_v));
  if constexpr (sizeof(T) == sizeof(float)) {
    if (call.problem.float32 == Float32Math::kExact) {
      return FromCuda(LaunchBackwardExact(call, stream));
    }
  }
  return FromCuda(LaunchBackward(call, stream));
}

template absl::Status Forward(const BlockSparseForward<Float16>&, CUstream_st*);
template absl::Status Forward(const BlockSparseForward<BFloat16>&, CUstream_st*);
template absl::Status Forward(const BlockSparseForward<float>&, CUstream_st*);
template absl::Status Backward(const BlockSparseBackward<Float16>&, CUstream_st*);
template absl::Status Backward(const BlockSparseBackward<BFloat16>&, CUstream_st*);
template absl::Status Backward(const BlockSparseBackward<float>&, CUstream_st*);

}  // namespace spion::cuda
