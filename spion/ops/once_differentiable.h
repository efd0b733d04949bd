// Operators that are differentiable once: their gradients are kernels of their own, which have no
// gradient. Asking for it all the same is an error, never a wrong number. Private to spion/ops.
//
//   class Square : public OnceDifferentiable<Square> {
//    public:
//     static constexpr char kName[] = "Square";
//     static at::Tensor forward(AutogradContext* context, const at::Tensor& x);
//     static variable_list Gradients(AutogradContext* context, const variable_list& grads);
//   };
//   at::Tensor y = Square::apply(x);
#ifndef SPION_OPS_ONCE_DIFFERENTIABLE_H_
#define SPION_OPS_ONCE_DIFFERENTIABLE_H_

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <utility>

namespace spion {

/// For a backward pass that may be differentiated (create_graph), while it runs: the gradients with
/// a graph behind them that throws a c10::Error, which names the operator and the way out, as soon
/// as a backward pass comes to it.
torch::autograd::variable_list RefuseSecondGradient(const char* name,
                                                    const torch::autograd::variable_list& grads,
                                                    torch::autograd::variable_list gradients);

/// An autograd function whose Operator::Gradients is what others call backward.
template <class Operator>
class OnceDifferentiable : public torch::autograd::Function<Operator> {
 public:
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& grads) {
    torch::autograd::variable_list gradients;
    {
      at::AutoDispatchBelowADInplaceOrView below_autograd;
      gradients = Operator::Gradients(context, grads);
    }
    if (!at::GradMode::is_enabled()) return gradients;
    return RefuseSecondGradient(Operator::kName, grads, std::move(gradients));
  }
};

}  // namespace spion

#endif  // SPION_OPS_ONCE_DIFFERENTIABLE_H_
