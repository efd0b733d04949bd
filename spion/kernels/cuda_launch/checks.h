// What the launches of the CUDA kernels have in common: checks of the tensors before, CUDA's error
// afterwards.
#ifndef SPION_KERNELS_CUDA_LAUNCH_CHECKS_H_
#define SPION_KERNELS_CUDA_LAUNCH_CHECKS_H_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "absl/status/status.h"
#include "spion/kernels/common/head_tensor.h"

namespace spion::cuda {

/// Sizes of a [B, H, L, d] tensor, without d.
struct HeadTensorSizes {
  int64_t batch;
  int64_t heads;
  int64_t length;
};

namespace internal {

absl::Status CheckHeadTensor(const char* name, const HeadTensor<const void>& tensor,
                             int64_t element_bytes, const HeadTensorSizes& sizes);

}  // namespace internal

/// What rows.cuh relies on: rows start at multiples of 16 bytes, a head spans less than 4 GiB, no
/// stride is negative.
/// Errors: InvalidArgument naming the tensor, its strides, and the way out.
template <typename T>
absl::Status CheckHeadTensor(const char* name, const HeadTensor<T>& tensor,
                             const HeadTensorSizes& sizes) {
  return internal::CheckHeadTensor(
      name, {tensor.data, tensor.batch_stride, tensor.head_stride, tensor.row_stride},
      static_cast<int64_t>(sizeof(T)), sizes);
}

/// Ok, or Internal with CUDA's name and message.
absl::Status StatusOfLaunch(cudaError_t error);

}  // namespace spion::cuda

#endif  // SPION_KERNELS_CUDA_LAUNCH_CHECKS_H_
