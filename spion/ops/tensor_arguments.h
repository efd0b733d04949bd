// The one translation between LibTorch's tensors and the kernels' raw arguments, and from
// absl::Status to c10::Error. Private to spion/ops.
#ifndef SPION_OPS_TENSOR_ARGUMENTS_H_
#define SPION_OPS_TENSOR_ARGUMENTS_H_

#include <ATen/core/Tensor.h>

#include <array>
#include <optional>

#include "absl/status/status.h"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/common/head_tensor.h"
#include "spion/kernels/common/key_padding.h"
#include "spion/ops/pattern_tensors.h"

namespace spion {

/// Throws c10::Error with the status's message, after the operator's name.
void ThrowIfError(const char* op, const absl::Status& status);

/// Throws unless `tensor` is [B, H, L, d] like `like`, of its dtype and device, with unit stride
/// along d.
void CheckHeadTensor(const char* op, const char* name, const at::Tensor& tensor,
                     const at::Tensor& like);

template <typename T>
HeadTensor<T> AsHeadTensor(const at::Tensor& tensor) {
  return {.data = static_cast<T*>(tensor.data_ptr()),
          .batch_stride = tensor.stride(0),
          .head_stride = tensor.stride(1),
          .row_stride = tensor.stride(2)};
}

/// Whether a GPU reaches all rows of a head of [B, H, L, d] if they are so many elements apart.
bool IsWithinReach(const at::Tensor& heads, int64_t row_stride);

/// An uninitialised [B, H, L, d] tensor, laid out in memory as [B, L, H, d], where so a head is
/// within reach, else as [B, H, L, d].
at::Tensor EmptyHeads(const at::Tensor& like);

/// Three of them, which share one [B, L, 3, H, d], gradients as SplitHeads takes them, where so a
/// head is within reach; else each on its own.
std::array<at::Tensor, 3> EmptyPackedHeads(const at::Tensor& like);

/// The padding argument of the operators: int32 [B] or bool [B, L], contiguous, on q's device.
KeyPadding AsKeyPadding(const char* op, const std::optional<at::Tensor>& padding,
                        const at::Tensor& q);

/// The whole problem; checks the pattern's tensors (dtype, device, sizes), not their values.
BlockSparseProblem AsProblem(const char* op, const at::Tensor& q, const PatternTensors& pattern,
                             const std::optional<at::Tensor>& padding, bool pruned_is_zero);

}  // namespace spion

#endif  // SPION_OPS_TENSOR_ARGUMENTS_H_
