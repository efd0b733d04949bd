// MeanOverTokens and NormMean of token_rows.h.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>

#include "spion/kernels/token_rows/api.h"
#include "spion/ops/gpu_side.h"
#include "spion/ops/once_differentiable.h"
#include "spion/ops/token_rows.h"
#include "spion/ops/token_rows_kernels.h"

namespace spion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

const NormKernels& Kernels() { return GpuSide<NormKernels>::Get(); }

class NormMeanFunction : public OnceDifferentiable<NormMeanFunction> {
 public:
  static constexpr char kName[] = "NormMean";

  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, const std::optional<at::Tensor>& lengths) {
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    const at::Tensor counted = lengths.value_or(at::Tensor());
    const NormedRows norm = Kernels().NormMean(x, weight, bias, counted);
    context->save_for_backward({x, weight, norm.mean, norm.inverse_deviation, counted});
    return norm.normed;
  }

  static variable_list Gradients(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor of_each = (grads[0] / x.size(1)).unsqueeze(1).expand(x.sizes());
    const auto gradients = Kernels().AddNormBackward(
        /*grad_sum=*/at::Tensor(), of_each, x, saved[1], saved[2], saved[3], Dropout(),
        /*of_x=*/true, std::nullopt, saved[4]);
    return {gradients.x, gradients.weight, gradients.bias, at::Tensor()};
  }
};

void CheckTokens(const char* op, const at::Tensor& x, const std::optional<at::Tensor>& lengths) {
  TORCH_CHECK(x.dim() == 3 && x.size(1) > 0, op, " takes x [sequences, length, width]; got ",
              x.sizes());
  TORCH_CHECK(!lengths.has_value() || lengths->sizes() == at::IntArrayRef({x.size(0)}), op,
              ": lengths must be [", x.size(0), "], one for each sequence; got ",
              lengths.value_or(at::Tensor()).sizes());
}

}  // namespace

at::Tensor MeanOverTokens(const at::Tensor& x, const std::optional<at::Tensor>& lengths) {
  CheckTokens("MeanOverTokens", x, lengths);
  at::Tensor counted = x;
  if (lengths.has_value()) {
    const at::Tensor counts =
        at::arange(x.size(1), lengths->options()).unsqueeze(0).lt(lengths->unsqueeze(1));
    counted = x * counts.unsqueeze(2).to(x.scalar_type());
  }
  // A sum's gradient is one row for all positions, which a GPU does not write out; that of at::mean
  // is.
  return counted.sum(1) / x.size(1);
}

at::Tensor NormMean(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                    const std::optional<at::Tensor>& lengths) {
  CheckTokens("NormMean", x, lengths);
  const bool by_kernel = x.is_cuda() && x.scalar_type() == at::kFloat && x.numel() > 0 &&
                         x.numel() / x.size(2) <= cuda::kMaxRows &&
                         weight.scalar_type() == at::kFloat && cuda::TakesNormWidth(x.size(2));
  if (by_kernel) return NormMeanFunction::apply(x, weight, bias, lengths);
  return MeanOverTokens(NormRows(x, weight, bias, x.scalar_type()), lengths);
}

}  // namespace spion
