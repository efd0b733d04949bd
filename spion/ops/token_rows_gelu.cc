// GeluDropout of token_rows.h.
#include <ATen/ops/dropout.h>
#include <ATen/ops/gelu.h>

#include "spion/kernels/token_rows/api.h"
#include "spion/ops/dropout.h"
#include "spion/ops/gpu_side.h"
#include "spion/ops/once_differentiable.h"
#include "spion/ops/token_rows.h"
#include "spion/ops/token_rows_kernels.h"

namespace spion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class GeluDropoutFunction : public OnceDifferentiable<GeluDropoutFunction> {
 public:
  static constexpr char kName[] = "GeluDropout";

  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, double probability) {
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    const Dropout dropout = NewDropout(probability, x);
    context->save_for_backward({x});
    Save(context, dropout);
    return GpuSide<GeluDropoutKernels>::Get().GeluDropout(x, dropout);
  }

  static variable_list Gradients(AutogradContext* context, const variable_list& grads) {
    return {GpuSide<GeluDropoutKernels>::Get().GeluDropoutBackward(
                grads[0], context->get_saved_variables()[0], SavedDropout(context)),
            at::Tensor()};
  }
};

}  // namespace

at::Tensor GeluDropout(const at::Tensor& x, double dropout) {
  CheckDropout("GeluDropout", dropout);
  const bool by_kernel = x.is_cuda() && TakesType(x.scalar_type()) && x.numel() > 0 &&
                         x.numel() % cuda::kGeluUnit == 0 && x.numel() <= cuda::kMaxGelu;
  return by_kernel ? GeluDropoutFunction::apply(x, dropout)
                   : at::dropout(at::gelu(x), dropout, /*train=*/true);
}

}  // namespace spion
