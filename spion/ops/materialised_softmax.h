// The GPU's side of materialised_attention.h. Private to spion/ops.
#ifndef SPION_OPS_MATERIALISED_SOFTMAX_H_
#define SPION_OPS_MATERIALISED_SOFTMAX_H_

#include <ATen/core/Tensor.h>

#include <optional>

namespace spion {

/// P twice: in float32 and rounded to bfloat16.
struct MaterialisedProbabilities {
  at::Tensor exact;
  at::Tensor rounded;
};

/// Calls of spion/kernels/materialised_softmax, of contiguous [batch, heads, queries, keys] on a
/// GPU; lengths: int32 [batch]. Without autograd. Each throws c10::Error that names an operand of
/// another size, type or device.
class MaterialisedSoftmax {
 public:
  static constexpr char kName[] = "kernels of materialised softmax";
  virtual ~MaterialisedSoftmax() = default;

  /// softmax(scale * scores) over the keys before an example's length; scores: bfloat16.
  virtual MaterialisedProbabilities Forward(const at::Tensor& scores,
                                            const std::optional<at::Tensor>& lengths,
                                            double scale) const = 0;
  /// From the gradients of the probabilities, bfloat16, to those of the scores, in their place.
  virtual void Backward(const at::Tensor& grad, const at::Tensor& probabilities,
                        const std::optional<at::Tensor>& lengths, double scale) const = 0;
};

}  // namespace spion

#endif  // SPION_OPS_MATERIALISED_SOFTMAX_H_
