// What follows the encoder, with autograd: a classifier of two linear maps, and the loss. On a GPU
// where autocast says bfloat16 both are kernels of spion/kernels/classifier, for sizes that these
// take; everywhere else they are LibTorch's functions.
//
// Deterministic. Differentiable once. Parameters are read in place, so the kernels refuse any that
// are not contiguous from a multiple of 16 bytes, and while the kernel before on the stream ends:
// that must not be what wrote them (in a model it made the features).
#ifndef SPION_OPS_CLASSIFIER_H_
#define SPION_OPS_CLASSIFIER_H_

#include <ATen/core/Tensor.h>

#include <array>
#include <tuple>

#include "spion/ops/encoder_layer.h"

namespace spion {

/// Logits [examples, classes] of features, float32 [examples, features]: two linear maps, [hidden,
/// features] and [classes, hidden], and the positive part between them. By the kernels they are
/// float32, from products of numbers rounded to bfloat16.
at::Tensor Classify(const at::Tensor& features, const WeightAndBias& hidden,
                    const WeightAndBias& classes);

struct Judgement {
  at::Tensor loss;   // the mean cross-entropy, nats: a scalar
  at::Tensor right;  // how many of the largest logits are the labels': a float32 scalar
};
/// Of logits [examples, classes] and labels, int64 [examples], each below the classes.
Judgement JudgeLogits(const at::Tensor& logits, const at::Tensor& labels);

/// The GPU's side. Operands are of one GPU; each call throws c10::Error that names one of another
/// size, type or device.
class ClassifierKernels {
 public:
  static constexpr char kName[] = "kernels of classifiers";
  virtual ~ClassifierKernels() = default;

  /// Logits, and the hidden numbers for the backward call.
  virtual std::tuple<at::Tensor, at::Tensor> Classify(const at::Tensor& features,
                                                      const WeightAndBias& hidden,
                                                      const WeightAndBias& classes) const = 0;
  /// Gradients of the features, the hidden weight and bias, the classes' weight and bias.
  virtual std::array<at::Tensor, 5> ClassifyBackward(const at::Tensor& grad_logits,
                                                     const at::Tensor& features,
                                                     const at::Tensor& hidden_weight,
                                                     const at::Tensor& class_weight,
                                                     const at::Tensor& hidden) const = 0;
  /// With the loss's gradient of the logits.
  virtual std::tuple<Judgement, at::Tensor> JudgeLogits(const at::Tensor& logits,
                                                        const at::Tensor& labels) const = 0;
};

}  // namespace spion

#endif  // SPION_OPS_CLASSIFIER_H_
