// The GPU's side of encoder_layer.h. Private to spion/ops.
#ifndef SPION_OPS_ENCODER_LAYER_KERNELS_H_
#define SPION_OPS_ENCODER_LAYER_KERNELS_H_

#include <ATen/core/Tensor.h>

#include <tuple>

#include "spion/ops/dropout.h"

namespace spion {

/// Calls of spion/kernels/token_rows/encoder_layer.h; all tensors are on a GPU, operands may be any
/// views. Parameters are weight and bias of each of a call's layers, in the order of their use;
/// their gradients one tensor, with places as in PreAttentionGradients and PostAttentionGradients.
/// Without autograd. Each throws c10::Error that names an operand of another size, type or device.
class EncoderLayerKernels {
 public:
  static constexpr char kName[] = "kernels of encoder layers";
  virtual ~EncoderLayerKernels() = default;

  /// Whether the device has the memory that they take.
  virtual bool AreOn(c10::Device device) const = 0;

  virtual at::Tensor PreAttention(const at::Tensor& x, at::TensorList parameters) const = 0;
  /// Gradients of x and of the parameters. grad_beside, what x has besides, may be undefined: zero.
  virtual std::tuple<at::Tensor, at::Tensor> PreAttentionBackward(
      const at::Tensor& grad_out, const at::Tensor& grad_beside, const at::Tensor& x,
      at::TensorList parameters) const = 0;

  /// The result, and what the dropouts kept, for the backward call: undefined for a probability of
  /// 0.
  virtual std::tuple<at::Tensor, at::Tensor> PostAttention(const at::Tensor& x,
                                                           const at::Tensor& heads,
                                                           at::TensorList parameters,
                                                           const Dropout& dropout) const = 0;
  /// Gradients of x, of the heads and of the parameters.
  virtual std::tuple<at::Tensor, at::Tensor, at::Tensor> PostAttentionBackward(
      const at::Tensor& grad_out, const at::Tensor& x, const at::Tensor& heads,
      at::TensorList parameters, double probability, const at::Tensor& kept) const = 0;
};

}  // namespace spion

#endif  // SPION_OPS_ENCODER_LAYER_KERNELS_H_
