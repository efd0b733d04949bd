#include "spion/ops/token_rows.h"

#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/native_layer_norm.h>
#include <ATen/ops/native_layer_norm_backward.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <tuple>

namespace spion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using ThreeTensors = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

constexpr double kEpsilon = 1e-5;

// The operators, for tensors of any device; results beside the first: each row's mean and inverse
// deviation.
ThreeTensors CallLayerNorm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                           at::ScalarType dtype) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("spion::layer_norm", "")
                             .typed<ThreeTensors(const at::Tensor&, const at::Tensor&,
                                                 const at::Tensor&, double, at::ScalarType)>();
  return op.call(x, weight, bias, kEpsilon, dtype);
}

ThreeTensors CallLayerNormBackward(const at::Tensor& grad_out, const variable_list& saved) {
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("spion::layer_norm_backward", "")
          .typed<ThreeTensors(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                              const at::Tensor&, const at::Tensor&)>();
  return op.call(grad_out, saved[0], saved[1], saved[2], saved[3]);
}

at::Tensor CallColumnSums(const at::Tensor& x) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("spion::column_sums", "")
                             .typed<at::Tensor(const at::Tensor&)>();
  return op.call(x);
}

class LayerNormFunction : public torch::autograd::Function<LayerNormFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, at::ScalarType dtype) {
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    auto [out, mean, inverse_deviation] = CallLayerNorm(x, weight, bias, dtype);
    context->save_for_backward({x, weight, mean, inverse_deviation});
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    auto [grad_x, grad_weight, grad_bias] =
        CallLayerNormBackward(grads[0], context->get_saved_variables());
    return {grad_x, grad_weight, grad_bias, at::Tensor()};
  }
};

// a b in float32, whatever they are.
at::Tensor WideProduct(const at::Tensor& a, const at::Tensor& b) {
  return a.scalar_type() == at::kFloat ? at::mm(a, b) : at::mm(a, b, at::kFloat);
}

at::Tensor SumOfRows(const at::Tensor& x) {
  constexpr int64_t kWidths = 64;  // of which the kernel takes multiples
  return x.size(1) % kWidths == 0 ? CallColumnSums(x) : x.sum(0, false, at::kFloat);
}

class GpuLinearFunction : public torch::autograd::Function<GpuLinearFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias) {
    const at::ScalarType dtype = ProductType(x.device(), x.scalar_type());
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    const at::Tensor factor = x.to(dtype);
    const at::Tensor matrix = weight.to(dtype);
    context->save_for_backward({factor, matrix});
    context->saved_data["dtype"] = x.scalar_type();
    return at::linear(factor, matrix, bias.to(dtype));
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& factor = saved[0];
    const at::Tensor& matrix = saved[1];
    const at::Tensor grad_out = grads[0].reshape({-1, matrix.size(0)}).contiguous();
    at::Tensor grad_x;
    if (context->needs_input_grad(0)) {
      grad_x = at::mm(grad_out, matrix)
                   .view(factor.sizes())
                   .to(context->saved_data["dtype"].toScalarType());
    }
    return {grad_x, WideProduct(grad_out.t(), factor.reshape({-1, matrix.size(1)})),
            SumOfRows(grad_out)};
  }
};

ThreeTensors LayerNormCpu(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                          double epsilon, at::ScalarType dtype) {
  auto [out, mean, inverse_deviation] =
      at::native_layer_norm(x, weight.sizes(), weight, bias, epsilon);
  return {out.to(dtype), mean, inverse_deviation};
}

ThreeTensors LayerNormBackwardCpu(const at::Tensor& grad_out, const at::Tensor& x,
                                  const at::Tensor& weight, const at::Tensor& mean,
                                  const at::Tensor& inverse_deviation) {
  return at::native_layer_norm_backward(grad_out.to(at::kFloat), x, weight.sizes(), mean,
                                        inverse_deviation, weight, /*bias=*/weight,
                                        {true, true, true});
}

}  // namespace

at::ScalarType ProductType(c10::Device device, at::ScalarType dtype) {
  const c10::DeviceType type = device.type();
  return at::autocast::is_autocast_enabled(type) ? at::autocast::get_autocast_dtype(type) : dtype;
}

at::Tensor LayerNorm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                     at::ScalarType dtype) {
  return LayerNormFunction::apply(x, weight, bias, dtype);
}

at::Tensor Linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return x.is_cuda() ? GpuLinearFunction::apply(x, weight, bias) : at::linear(x, weight, bias);
}

TORCH_LIBRARY_FRAGMENT(spion, library) {
  library.def(
      "layer_norm(Tensor x, Tensor weight, Tensor bias, float epsilon, ScalarType dtype) "
      "-> (Tensor out, Tensor mean, Tensor inverse_deviation)");
  library.def(
      "layer_norm_backward(Tensor grad_out, Tensor x, Tensor weight, Tensor mean, "
      "Tensor inverse_deviation) -> (Tensor grad_x, Tensor grad_weight, Tensor grad_bias)");
  library.def("column_sums(Tensor x) -> Tensor");
}

TORCH_LIBRARY_IMPL(spion, CPU, library) {
  library.impl("layer_norm", LayerNormCpu);
  library.impl("layer_norm_backward", LayerNormBackwardCpu);
}

}  // namespace spion
