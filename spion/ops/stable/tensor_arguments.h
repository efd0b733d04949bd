// The one translation between LibTorch's tensors, by its stable ABI, and the kernels' raw
// arguments. Private to spion/ops/stable.
#ifndef SPION_OPS_STABLE_TENSOR_ARGUMENTS_H_
#define SPION_OPS_STABLE_TENSOR_ARGUMENTS_H_

#include <torch/csrc/stable/tensor.h>

#include <optional>
#include <string>
#include <type_traits>

#include "spion/kernels/block_sparse/packed_pattern.h"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/common/head_tensor.h"
#include "spion/kernels/common/key_padding.h"
#include "spion/kernels/common/number.h"

namespace spion {

/// "[2, 3]".
std::string SizesOf(const torch::stable::Tensor& tensor);
/// "Float".
std::string DtypeOf(const torch::stable::Tensor& tensor);
/// "cpu", "cuda:0", or "another kind of device".
std::string DeviceOf(const torch::stable::Tensor& tensor);
bool IsOnSameDevice(const torch::stable::Tensor& a, const torch::stable::Tensor& b);

/// Throws unless q is of the one dtype that operators on the CPU take.
void CheckCpuDtype(const char* op, const torch::stable::Tensor& q);

/// Throws unless `tensor` is [B, H, L, d] like `like`, of its dtype and device, with unit stride
/// along d.
void CheckHeadTensor(const char* op, const char* name, const torch::stable::Tensor& tensor,
                     const torch::stable::Tensor& like);

template <typename T>
HeadTensor<T> AsHeadTensor(const torch::stable::Tensor& tensor) {
  HeadTensor<T> heads{.data = nullptr,
                      .batch_stride = tensor.stride(0),
                      .head_stride = tensor.stride(1),
                      .row_stride = tensor.stride(2)};
  if constexpr (std::is_const_v<T>) {
    heads.data = static_cast<T*>(tensor.const_data_ptr());
  } else {
    heads.data = static_cast<T*>(tensor.mutable_data_ptr());
  }
  return heads;
}

/// An uninitialised [B, H, L, d] tensor, laid out in memory as [B, L, H, d], where so a head is
/// within a GPU's reach, else as [B, H, L, d].
torch::stable::Tensor EmptyHeads(const torch::stable::Tensor& like);

/// An uninitialised [B, L, 3, H, d] for three gradients side by side, as SplitHeads takes them;
/// laid out as [3, B, H, L, d] where a head would else be out of a GPU's reach.
torch::stable::Tensor EmptyGradients(const torch::stable::Tensor& like);

/// One of the three: [B, H, L, d] of it.
template <typename T>
HeadTensor<T> GradientOf(const torch::stable::Tensor& gradients, int64_t i) {
  T* data = static_cast<T*>(gradients.mutable_data_ptr());
  if (data != nullptr) data += i * gradients.stride(2);  // null: of an empty tensor
  return {.data = data,
          .batch_stride = gradients.stride(0),
          .head_stride = gradients.stride(3),
          .row_stride = gradients.stride(1)};
}

/// The padding argument of the operators: int32 [B] or bool [B, L], contiguous, on q's device.
KeyPadding AsKeyPadding(const char* op, const std::optional<torch::stable::Tensor>& padding,
                        const torch::stable::Tensor& q);

/// What block-sparse attention takes besides q, k and v, as its operators take it.
struct BlockSparseArguments {
  const torch::stable::Tensor& pattern;  // int32, as packed_pattern.h says
  int64_t block_size;
  PackedPatternShape shape;
  const std::optional<torch::stable::Tensor>& padding;
  double scale;
  bool pruned_is_zero;
  bool exact_float32;
  bool deterministic;  // of the backward pass
};

/// The whole problem; checks the pattern (dtype, device, sizes), not its values.
BlockSparseProblem AsProblem(const char* op, const torch::stable::Tensor& q,
                             const BlockSparseArguments& arguments);

}  // namespace spion

#endif  // SPION_OPS_STABLE_TENSOR_ARGUMENTS_H_
