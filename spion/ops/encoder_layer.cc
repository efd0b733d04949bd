#include "spion/ops/encoder_layer.h"

#include <vector>

#include "spion/kernels/token_rows/encoder_layer.h"
#include "spion/ops/dropout.h"
#include "spion/ops/encoder_layer_kernels.h"
#include "spion/ops/gpu_side.h"
#include "spion/ops/once_differentiable.h"
#include "spion/ops/token_rows.h"

namespace spion {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

const EncoderLayerKernels& Kernels() { return GpuSide<EncoderLayerKernels>::Get(); }

/// A part of all parameters' gradients, of a parameter's sizes.
Tensor Part(const Tensor& gradients, int64_t first, const Tensor& parameter) {
  return gradients.narrow(0, first, parameter.numel()).view(parameter.sizes());
}

class PreAttentionFunction : public OnceDifferentiable<PreAttentionFunction> {
 public:
  static constexpr char kName[] = "PreAttention";

  static variable_list forward(AutogradContext* context, const Tensor& x, const Tensor& norm_weight,
                               const Tensor& norm_bias, const Tensor& weight, const Tensor& bias) {
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    context->save_for_backward({x, norm_weight, norm_bias, weight, bias});
    context->set_materialize_grads(false);  // zeros would be another pass over memory
    return {Kernels().PreAttention(x, {norm_weight, norm_bias, weight, bias}), x};
  }

  static variable_list Gradients(AutogradContext* context, const variable_list& grads) {
    using At = cuda::PreAttentionGradients;
    variable_list saved = context->get_saved_variables();
    if (!grads[0].defined()) return {grads[1], Tensor(), Tensor(), Tensor(), Tensor()};
    const std::vector<Tensor> parameters(saved.begin() + 1, saved.end());
    const auto [grad_x, all] =
        Kernels().PreAttentionBackward(grads[0], grads[1], saved[0], parameters);
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
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    const Dropout dropout = NewDropout(probability, x);
    const auto [out, kept] =
        Kernels().PostAttention(x, heads,
                                {output_weight, output_bias, norm_weight, norm_bias, hidden_weight,
                                 hidden_bias, mlp_weight, mlp_bias},
                                dropout);
    context->save_for_backward({x, heads, kept, output_weight, output_bias, norm_weight, norm_bias,
                                hidden_weight, hidden_bias, mlp_weight, mlp_bias});
    context->saved_data["dropout"] = probability;
    return out;
  }

  static variable_list Gradients(AutogradContext* context, const variable_list& grads) {
    using At = cuda::PostAttentionGradients;
    const variable_list saved = context->get_saved_variables();
    const std::vector<Tensor> parameters(saved.begin() + 3, saved.end());
    const auto [grad_x, grad_heads, all] =
        Kernels().PostAttentionBackward(grads[0], saved[0], saved[1], parameters,
                                        context->saved_data["dropout"].toDouble(), saved[2]);
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

bool TakesEncoderLayer(c10::Device device, int64_t rows, int64_t width, int64_t hidden) {
  return device.is_cuda() && rows > 0 && rows <= cuda::kMaxRows && width == cuda::kLayerWidth &&
         hidden == cuda::kLayerHidden && ProductType(device, at::kFloat) == at::kBFloat16 &&
         Kernels().AreOn(device);
}
bool TakesEncoderLayer(const Tensor& x, int64_t hidden) {
  return x.scalar_type() == at::kFloat && x.dim() > 0 && x.numel() > 0 &&
         TakesEncoderLayer(x.device(), x.numel() / x.size(-1), x.size(-1), hidden);
}

PreAttentionResult PreAttention(const Tensor& x, const WeightAndBias& norm,
                                const WeightAndBias& qkv) {
  variable_list results =
      PreAttentionFunction::apply(x, norm.weight, norm.bias, qkv.weight, qkv.bias);
  return {results[0], results[1]};
}

Tensor PostAttention(const Tensor& x, const Tensor& heads, const PostAttentionLayers& layers,
                     double dropout) {
  CheckDropout("PostAttention", dropout);
  return PostAttentionFunction::apply(x, heads, dropout, layers.output.weight, layers.output.bias,
                                      layers.norm.weight, layers.norm.bias, layers.hidden.weight,
                                      layers.hidden.bias, layers.mlp.weight, layers.mlp.bias);
}

}  // namespace spion
