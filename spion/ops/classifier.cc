#include "spion/ops/classifier.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/relu.h>

#include "spion/kernels/classifier/api.h"
#include "spion/ops/gpu_side.h"
#include "spion/ops/once_differentiable.h"
#include "spion/ops/token_rows.h"

namespace spion {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

const ClassifierKernels& Kernels() { return GpuSide<ClassifierKernels>::Get(); }

class ClassifyFunction : public OnceDifferentiable<ClassifyFunction> {
 public:
  static constexpr char kName[] = "Classify";

  static Tensor forward(AutogradContext* context, const Tensor& features,
                        const Tensor& hidden_weight, const Tensor& hidden_bias,
                        const Tensor& class_weight, const Tensor& class_bias) {
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    const auto [logits, hidden] =
        Kernels().Classify(features, {hidden_weight, hidden_bias}, {class_weight, class_bias});
    context->save_for_backward({features, hidden_weight, class_weight, hidden});
    return logits;
  }

  static variable_list Gradients(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const auto gradients =
        Kernels().ClassifyBackward(grads[0], saved[0], saved[1], saved[2], saved[3]);
    return {gradients.begin(), gradients.end()};
  }
};

class JudgeFunction : public OnceDifferentiable<JudgeFunction> {
 public:
  static constexpr char kName[] = "JudgeLogits";

  static variable_list forward(AutogradContext* context, const Tensor& logits,
                               const Tensor& labels) {
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    const auto [judgement, gradient] = Kernels().JudgeLogits(logits, labels);
    context->save_for_backward({gradient});
    context->mark_non_differentiable({judgement.right});
    return {judgement.loss, judgement.right};
  }

  static variable_list Gradients(AutogradContext* context, const variable_list& grads) {
    return {context->get_saved_variables()[0] * grads[0], Tensor()};
  }
};

bool Takes(int64_t size, int64_t largest, int64_t unit = 1) {
  return size >= 1 && size <= largest && size % unit == 0;
}

bool TakesClassifier(const Tensor& features, const WeightAndBias& hidden,
                     const WeightAndBias& classes) {
  return features.is_cuda() && features.dim() == 2 && features.scalar_type() == at::kFloat &&
         ProductType(features.device(), at::kFloat) == at::kBFloat16 && hidden.weight.dim() == 2 &&
         classes.weight.dim() == 2 && Takes(features.size(0), cuda::kMaxExamples) &&
         Takes(features.size(1), cuda::kMaxFeatures, cuda::kClassifierUnit) &&
         Takes(hidden.weight.size(0), cuda::kMaxHidden, cuda::kClassifierUnit) &&
         Takes(classes.weight.size(0), cuda::kMaxClasses);
}

}  // namespace

Tensor Classify(const Tensor& features, const WeightAndBias& hidden, const WeightAndBias& classes) {
  if (TakesClassifier(features, hidden, classes)) {
    return ClassifyFunction::apply(features, hidden.weight, hidden.bias, classes.weight,
                                   classes.bias);
  }
  return LinearMap(at::relu(LinearMap(features, hidden.weight, hidden.bias)), classes.weight,
                   classes.bias);
}

Judgement JudgeLogits(const Tensor& logits, const Tensor& labels) {
  const bool by_kernel =
      logits.is_cuda() && logits.dim() == 2 && logits.scalar_type() == at::kFloat &&
      Takes(logits.size(0), cuda::kMaxExamples) && Takes(logits.size(1), cuda::kMaxClasses);
  if (by_kernel) {
    const variable_list results = JudgeFunction::apply(logits, labels);
    return {results[0], results[1]};
  }
  return {at::cross_entropy_loss(logits, labels),
          logits.detach().argmax(1).eq(labels).sum(at::kFloat)};
}

}  // namespace spion
