#include "baselines/reformer/permute_rows.h"

#include <torch/csrc/autograd/custom_function.h>

namespace spion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor TakeRows(const at::Tensor& x, const at::Tensor& order) {
  return x.gather(-2, order.unsqueeze(-1).expand(x.sizes()));
}

class RowPermutation : public torch::autograd::Function<RowPermutation> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& order,
                            const at::Tensor& inverse) {
    context->save_for_backward({inverse});
    return TakeRows(x, order);
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    return {TakeRows(grads[0], context->get_saved_variables()[0]), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor PermuteRows(const at::Tensor& x, const at::Tensor& order, const at::Tensor& inverse) {
  return RowPermutation::apply(x, order, inverse);
}

}  // namespace spion
