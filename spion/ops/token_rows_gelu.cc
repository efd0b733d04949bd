// GeluDropout of token_rows.h.
#include <ATen/ops/dropout.h>
#include <ATen/ops/gelu.h>

#include "spion/kernels/token_rows/api.h"
#include "spion/ops/once_differentiable.h"
#include "spion/ops/token_rows.h"
#include "spion/ops/token_rows_operators.h"

namespace spion {
namespace {

using token_rows::Dropout;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class GeluDropoutFunction : public OnceDifferentiable<GeluDropoutFunction> {
 public:
  static constexpr char kName[] = "GeluDropout";

  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, double probability) {
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    const Dropout dropout = token_rows::Draw(probability, x);
    context->save_for_backward({x});
    token_rows::Save(context, dropout);
    return token_rows::CallGeluDropout(x, dropout);
  }

  static variable_list Gradients(AutogradContext* context, const variable_list& grads) {
    return {token_rows::CallGeluDropoutBackward(grads[0], context->get_saved_variables()[0],
                                                token_rows::SavedDropout(context)),
            at::Tensor()};
  }
};

}  // namespace

at::Tensor GeluDropout(const at::Tensor& x, double dropout) {
  token_rows::CheckDropout("GeluDropout", dropout);
  const bool by_kernel = x.is_cuda() && token_rows::TakesType(x.scalar_type()) && x.numel() > 0 &&
                         x.numel() % cuda::kGeluUnit == 0 && x.numel() <= cuda::kMaxGelu;
  return by_kernel ? GeluDropoutFunction::apply(x, dropout)
                   : at::dropout(at::gelu(x), dropout, /*train=*/true);
}

}  // namespace spion
