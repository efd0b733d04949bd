#include "spion/ops/encoder_layer.h"

#include <torch/csrc/autograd/autograd_not_implemented_fallback.h>
#include <torch/library.h>

#include <optional>
#include <tuple>
#include <vector>

#include "spion/kernels/token_rows/encoder_layer.h"
#include "spion/ops/find_operator.h"
#include "spion/ops/once_differentiable.h"
#include "spion/ops/token_rows.h"
#include "spion/ops/token_rows_operators.h"

namespace spion {
namespace {

using at::Tensor;
using token_rows::Dropout;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// A part of all parameters' gradients, of a parameter's sizes.
Tensor Part(const Tensor& gradients, int64_t first, const Tensor& parameter) {
  return gradients.narrow(0, first, parameter.numel()).view(parameter.sizes());
}

class PreAttentionFunction : public OnceDifferentiable<PreAttentionFunction> {
 public:
  static constexpr char kName[] = "PreAttention";

  static variable_list forward(AutogradContext* context, const Tensor& x, const Tensor& norm_weight,
                               const Tensor& norm_bias, const Tensor& weight, const Tensor& bias) {
    static const auto op =
        FindOperator<Tensor(const Tensor&, at::TensorList, double)>("spion::pre_attention");
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    context->save_for_backward({x, norm_weight, norm_bias, weight, bias});
    context->set_materialize_grads(false);  // zeros would be another pass over memory
    return {op.call(x, {norm_weight, norm_bias, weight, bias}, token_rows::kEpsilon), x};
  }

  static variable_list Gradients(AutogradContext* context, const variable_list& grads) {
    static const auto op = FindOperator<std::tuple<Tensor, Tensor>(
        const Tensor&, const std::optional<Tensor>&, const Tensor&, at::TensorList, double)>(
        "spion::pre_attention_backward");
    using At = cuda::PreAttentionGradients;
    variable_list saved = context->get_saved_variables();
    if (!grads[0].defined()) return {grads[1], Tensor(), Tensor(), Tensor(), Tensor()};
    std::optional<Tensor> beside;
    if (grads[1].defined()) beside = grads[1];
    const std::vector<Tensor> parameters(saved.begin() + 1, saved.end());
    const auto [grad_x, all] =
        op.call(grads[0], beside, saved[0], parameters, token_rows::kEpsilon);
    return {grad_x, Part(all, At::kNormWeight, saved[1]), Part(all, At::kNormBias, saved[2]),
            Part(all, At::kQkvWeight, saved[3]), Part(all, At::kQkvBias, saved[4])};
  }
};

class PostAttentionFunction : public OnceDifferentiable<PostAttentionFunction> {
 public:
  static constexpr char kName[] = "PostAttention";

  // `parameters`: weight and bias of each of PostAttentionLayers, in their order.
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& heads,
                        double probability, const Tensor& output_weight, const Tensor& output_bias,
                        const Tensor& norm_weight, const Tensor& norm_bias,
                        const Tensor& hidden_weight, const Tensor& hidden_bias,
                        const Tensor& mlp_weight, const Tensor& mlp_bias) {
    static const auto op = FindOperator<Tensor(const Tensor&, const Tensor&, at::TensorList, double,
                                               double, at::IntArrayRef)>("spion::post_attention");
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    const Dropout dropout = token_rows::Draw(probability, x);
    context->save_for_backward({x, heads, output_weight, output_bias, norm_weight, norm_bias,
                                hidden_weight, hidden_bias, mlp_weight, mlp_bias});
    token_rows::Save(context, dropout);
    return op.call(x, heads,
                   {output_weight, output_bias, norm_weight, norm_bias, hidden_weight, hidden_bias,
                    mlp_weight, mlp_bias},
                   token_rows::kEpsilon, dropout.probability, dropout.random);
  }

  static variable_list Gradients(AutogradContext* context, const variable_list& grads) {
    static const auto op = FindOperator<std::tuple<Tensor, Tensor, Tensor>(
        const Tensor&, const Tensor&, const Tensor&, at::TensorList, double, double,
        at::IntArrayRef)>("spion::post_attention_backward");
    using At = cuda::PostAttentionGradients;
    const variable_list saved = context->get_saved_variables();
    const Dropout dropout = token_rows::SavedDropout(context);
    const std::vector<Tensor> parameters(saved.begin() + 2, saved.end());
    const auto [grad_x, grad_heads, all] =
        op.call(grads[0], saved[0], saved[1], parameters, token_rows::kEpsilon, dropout.probability,
                dropout.random);
    variable_list gradients = {grad_x, grad_heads, Tensor()};
    constexpr int kPlaces[] = {At::kOutputWeight, At::kOutputBias, At::kNormWeight, At::kNormBias,
                               At::kHiddenWeight, At::kHiddenBias, At::kMlpWeight,  At::kMlpBias};
    for (size_t i = 0; i < parameters.size(); ++i) {
      gradients.push_back(Part(all, kPlaces[i], parameters[i]));
    }
    return gradients;
  }
};

}  // namespace

bool TakesEncoderLayer(const Tensor& x, int64_t hidden) {
  if (!x.is_cuda() || x.scalar_type() != at::kFloat || x.dim() == 0 || x.numel() == 0 ||
      x.size(-1) != cuda::kLayerWidth || x.numel() / cuda::kLayerWidth > cuda::kMaxRows ||
      hidden != cuda::kLayerHidden || ProductType(x.device(), at::kFloat) != at::kBFloat16) {
    return false;
  }
  static const auto op = FindOperator<bool(const Tensor&)>("spion::has_encoder_layer");
  return op.call(x);
}

PreAttentionResult PreAttention(const Tensor& x, const WeightAndBias& norm,
                                const WeightAndBias& qkv) {
  variable_list results =
      PreAttentionFunction::apply(x, norm.weight, norm.bias, qkv.weight, qkv.bias);
  return {results[0], results[1]};
}

Tensor PostAttention(const Tensor& x, const Tensor& heads, const PostAttentionLayers& layers,
                     double dropout) {
  token_rows::CheckDropout("PostAttention", dropout);
  return PostAttentionFunction::apply(x, heads, dropout, layers.output.weight, layers.output.bias,
                                      layers.norm.weight, layers.norm.bias, layers.hidden.weight,
                                      layers.hidden.bias, layers.mlp.weight, layers.mlp.bias);
}

TORCH_LIBRARY_FRAGMENT(spion, library) {
  library.def("has_encoder_layer(Tensor like) -> bool");
  library.def("pre_attention(Tensor x, Tensor[] parameters, float epsilon) -> Tensor");
  library.def(
      "pre_attention_backward(Tensor grad_out, Tensor? grad_beside, Tensor x, Tensor[] parameters, "
      "float epsilon) -> (Tensor grad_x, Tensor grad_parameters)");
  library.def(
      "post_attention(Tensor x, Tensor heads, Tensor[] parameters, float epsilon, float dropout, "
      "int[] random) -> Tensor");
  library.def(
      "post_attention_backward(Tensor grad_out, Tensor x, Tensor heads, Tensor[] parameters, "
      "float epsilon, float dropout, int[] random) "
      "-> (Tensor grad_x, Tensor grad_heads, Tensor grad_parameters)");
}

// The functions of encoder_layer.h have the gradients of these.
TORCH_LIBRARY_IMPL(spion, Autograd, library) {
  for (const char* name :
       {"pre_attention", "pre_attention_backward", "post_attention", "post_attention_backward"}) {
    library.impl(name, torch::autograd::autogradNotImplementedFallback());
  }
}

}  // namespace spion
