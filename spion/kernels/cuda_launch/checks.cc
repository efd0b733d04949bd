#include "spion/kernels/cuda_launch/checks.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace spion::cuda {
namespace {

constexpr int64_t kAlignmentBytes = 16;

}  // namespace

namespace internal {

absl::Status CheckHeadTensor(const char* name, const HeadTensor<const void>& tensor,
                             int64_t element_bytes, const HeadTensorSizes& sizes) {
  const auto offset =
      static_cast<int64_t>(reinterpret_cast<uintptr_t>(tensor.data) % kAlignmentBytes);
  const auto aligned = [&](int64_t stride) {
    return stride * element_bytes % kAlignmentBytes == 0;
  };
  if (offset != 0 || !aligned(tensor.row_stride) ||
      (sizes.heads > 1 && !aligned(tensor.head_stride)) ||
      (sizes.batch > 1 && !aligned(tensor.batch_stride))) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, " is not aligned: on a GPU every row must start at a multiple of ", kAlignmentBytes,
        " bytes, and this tensor starts ", offset, " bytes after one, with rows ",
        tensor.row_stride, ", heads ", tensor.head_stride, ", examples ", tensor.batch_stride,
        " elements of ", element_bytes, " bytes apart; call .clone() on it"));
  }
  if (tensor.row_stride < 0 || tensor.head_stride < 0 || tensor.batch_stride < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " runs backwards: strides must not be negative, and rows are ",
                     tensor.row_stride, ", heads ", tensor.head_stride, ", examples ",
                     tensor.batch_stride, " elements apart; call .contiguous() on it"));
  }
  if (!SpansFewEnoughBytes(sizes.length, tensor.row_stride, element_bytes)) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, " is spread too far: on a GPU a head must span less than 4 GiB, and this tensor has ",
        sizes.length, " rows ", tensor.row_stride, " elements of ", element_bytes,
        " bytes apart; call .contiguous() on it, which lays a head's rows side by side"));
  }
  return absl::OkStatus();
}

}  // namespace internal

absl::Status StatusOfLaunch(cudaError_t error) {
  if (error == cudaSuccess) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("CUDA could not start the kernel: ", cudaGetErrorName(error), ", ",
                   cudaGetErrorString(error)));
}

}  // namespace spion::cuda
