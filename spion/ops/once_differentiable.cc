#include "spion/ops/once_differentiable.h"

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>

#include <memory>
#include <string>
#include <utility>

namespace spion {
namespace {

using torch::autograd::edge_list;
using torch::autograd::Node;
using torch::autograd::variable_list;

/// What a second gradient meets.
class SecondGradient : public Node {
 public:
  SecondGradient(const char* name, edge_list&& next_edges)
      : Node(std::move(next_edges)), name_(name) {}

  variable_list apply(variable_list&&) override {
    TORCH_CHECK(false, name_, " is differentiable once, and a backward pass has come to its ",
                "gradient, made with create_graph: detach() that gradient, or compute this part ",
                "with LibTorch's own functions, which are differentiable twice");
  }
  std::string name() const override { return name_ + "SecondGradient"; }

 private:
  std::string name_;
};

}  // namespace

variable_list RefuseSecondGradient(const char* name, const variable_list& grads,
                                   variable_list gradients) {
  // A gradient depends on the operator's own inputs, where the node that is running leads, and on
  // the gradients that came: a backward pass that looks for any of these must come by.
  edge_list edges = torch::autograd::get_current_node()->next_edges();
  for (const at::Tensor& grad : grads) {
    if (grad.defined()) edges.push_back(torch::autograd::impl::gradient_edge(grad));
  }
  const auto node = std::make_shared<SecondGradient>(name, std::move(edges));
  for (at::Tensor& gradient : gradients) {
    if (!gradient.defined()) continue;
    gradient = gradient.detach();
    torch::autograd::set_history(gradient, node);
  }
  return gradients;
}

}  // namespace spion
