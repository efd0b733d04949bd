#include "spion/ops/block_sparse_attention.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <tuple>

namespace spion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Tensors of the two operators, in the order of their schemas.
#define SPION_PATTERN_ARGUMENTS                                                                   \
  const at::Tensor &row_offsets, const at::Tensor &row_columns, const at::Tensor &column_offsets, \
      const at::Tensor &column_rows, int64_t block_size, const std::optional<at::Tensor>&padding, \
      bool pruned_is_zero
#define SPION_PATTERN_VALUES \
  row_offsets, row_columns, column_offsets, column_rows, block_size, padding, pruned_is_zero

using ForwardSignature = std::tuple<at::Tensor, at::Tensor>(const at::Tensor&, const at::Tensor&,
                                                            const at::Tensor&,
                                                            SPION_PATTERN_ARGUMENTS);

std::tuple<at::Tensor, at::Tensor> CallForward(const at::Tensor& q, const at::Tensor& k,
                                               const at::Tensor& v, SPION_PATTERN_ARGUMENTS) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("spion::block_sparse_attention", "")
                             .typed<ForwardSignature>();
  return op.call(q, k, v, SPION_PATTERN_VALUES);
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> CallBackward(
    const at::Tensor& grad_out, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
    const at::Tensor& out, const at::Tensor& log_sum_exp, SPION_PATTERN_ARGUMENTS) {
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("spion::block_sparse_attention_backward", "")
          .typed<std::tuple<at::Tensor, at::Tensor, at::Tensor>(
              const at::Tensor&, const at::Tensor&, const at::Tensor&, const at::Tensor&,
              const at::Tensor&, const at::Tensor&, SPION_PATTERN_ARGUMENTS)>();
  return op.call(grad_out, q, k, v, out, log_sum_exp, SPION_PATTERN_VALUES);
}

class BlockSparseFunction : public torch::autograd::Function<BlockSparseFunction> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k,
                               const at::Tensor& v, SPION_PATTERN_ARGUMENTS) {
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    auto [out, log_sum_exp] = CallForward(q, k, v, SPION_PATTERN_VALUES);
    context->save_for_backward({q, k, v, out, log_sum_exp, row_offsets, row_columns, column_offsets,
                                column_rows, padding.value_or(at::Tensor())});
    context->saved_data["block_size"] = block_size;
    context->saved_data["pruned_is_zero"] = pruned_is_zero;
    context->mark_non_differentiable({log_sum_exp});
    return {out, log_sum_exp};
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& padding = saved[9];
    auto [grad_q, grad_k, grad_v] =
        CallBackward(grads[0], saved[0], saved[1], saved[2], saved[3], saved[4], saved[5], saved[6],
                     saved[7], saved[8], context->saved_data["block_size"].toInt(),
                     padding.defined() ? std::optional<at::Tensor>(padding) : std::nullopt,
                     context->saved_data["pruned_is_zero"].toBool());
    const at::Tensor none;
    return {grad_q, grad_k, grad_v, none, none, none, none, none, none, none};
  }
};

std::tuple<at::Tensor, at::Tensor> AutogradForward(const at::Tensor& q, const at::Tensor& k,
                                                   const at::Tensor& v, SPION_PATTERN_ARGUMENTS) {
  variable_list results = BlockSparseFunction::apply(q, k, v, SPION_PATTERN_VALUES);
  return {results[0], results[1]};
}

}  // namespace

at::Tensor BlockSparseAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                const PatternTensors& pattern,
                                const std::optional<at::Tensor>& padding, PrunedScore pruned) {
  return std::get<0>(CallForward(q, k, v, pattern.row_offsets, pattern.row_columns,
                                 pattern.column_offsets, pattern.column_rows, pattern.block_size,
                                 padding, pruned == PrunedScore::kZero));
}

TORCH_LIBRARY_FRAGMENT(spion, library) {
  library.def(
      "block_sparse_attention(Tensor q, Tensor k, Tensor v, Tensor row_offsets, Tensor "
      "row_columns, "
      "Tensor column_offsets, Tensor column_rows, int block_size, Tensor? padding, "
      "bool pruned_is_zero) -> (Tensor out, Tensor log_sum_exp)");
  library.def(
      "block_sparse_attention_backward(Tensor grad_out, Tensor q, Tensor k, Tensor v, Tensor out, "
      "Tensor log_sum_exp, Tensor row_offsets, Tensor row_columns, Tensor column_offsets, "
      "Tensor column_rows, int block_size, Tensor? padding, bool pruned_is_zero) "
      "-> (Tensor grad_q, Tensor grad_k, Tensor grad_v)");
}

TORCH_LIBRARY_IMPL(spion, Autograd, library) {
  library.impl("block_sparse_attention", AutogradForward);
}

}  // namespace spion
