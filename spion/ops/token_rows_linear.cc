// LinearMap of token_rows.h.
#include <ATen/autocast_mode.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>

#include "spion/ops/once_differentiable.h"
#include "spion/ops/sum_of_rows.h"
#include "spion/ops/token_rows.h"

namespace spion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// a b, not rounded to less than float32.
at::Tensor WideProduct(const at::Tensor& a, const at::Tensor& b) {
  const bool is_wide = a.scalar_type() == at::kFloat || a.scalar_type() == at::kDouble;
  return is_wide ? at::mm(a, b) : at::mm(a, b, at::kFloat);
}

class LinearMapFunction : public OnceDifferentiable<LinearMapFunction> {
 public:
  static constexpr char kName[] = "LinearMap";

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

  static variable_list Gradients(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& factor = saved[0];
    const at::Tensor& matrix = saved[1];
    const at::Tensor grad_out = grads[0].reshape({-1, matrix.size(0)}).contiguous();
    at::Tensor grad_x;
    at::Tensor grad_weight;
    at::Tensor grad_bias;
    if (context->needs_input_grad(0)) {
      grad_x = at::mm(grad_out, matrix)
                   .view(factor.sizes())
                   .to(context->saved_data["dtype"].toScalarType());
    }
    if (context->needs_input_grad(1)) {
      grad_weight = WideProduct(grad_out.t(), factor.reshape({-1, matrix.size(1)}));
    }
    if (context->needs_input_grad(2)) grad_bias = SumOfRows(grad_out);
    return {grad_x, grad_weight, grad_bias};
  }
};

}  // namespace

at::ScalarType ProductType(c10::Device device, at::ScalarType dtype) {
  const c10::DeviceType type = device.type();
  return at::autocast::is_autocast_enabled(type) ? at::autocast::get_autocast_dtype(type) : dtype;
}

at::Tensor LinearMap(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return x.is_cuda() ? LinearMapFunction::apply(x, weight, bias) : at::linear(x, weight, bias);
}

}  // namespace spion
