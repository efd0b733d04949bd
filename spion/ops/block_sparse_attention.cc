#include "spion/ops/block_sparse_attention.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/autograd_not_implemented_fallback.h>
#include <torch/library.h>

#include <tuple>

#include "spion/ops/once_differentiable.h"
#include "spion/ops/pattern_object.h"
#include "spion/profiling/range.h"

namespace spion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Padding = std::optional<at::Tensor>;

using ForwardSignature = std::tuple<at::Tensor, at::Tensor>(const at::Tensor&, const at::Tensor&,
                                                            const at::Tensor&,
                                                            const PatternPointer&, const Padding&,
                                                            bool, bool);
using BackwardSignature = std::tuple<at::Tensor, at::Tensor, at::Tensor>(
    const at::Tensor&, const at::Tensor&, const at::Tensor&, const at::Tensor&, const at::Tensor&,
    const at::Tensor&, const PatternPointer&, const Padding&, bool, bool);

RangeLabel LabelOf(const PatternPointer& pattern) {
  return {.layer = static_cast<int>(pattern->tensors.layer),
          .kept_blocks = pattern->tensors.kept_blocks};
}

std::tuple<at::Tensor, at::Tensor> CallForward(const at::Tensor& q, const at::Tensor& k,
                                               const at::Tensor& v, const PatternPointer& pattern,
                                               const Padding& padding, bool pruned_is_zero,
                                               bool exact_float32) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("spion::block_sparse_attention", "")
                             .typed<ForwardSignature>();
  return op.call(q, k, v, pattern, padding, pruned_is_zero, exact_float32);
}

class BlockSparseFunction : public OnceDifferentiable<BlockSparseFunction> {
 public:
  static constexpr char kName[] = "BlockSparseAttention";

  static variable_list forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k,
                               const at::Tensor& v, const PatternPointer& pattern,
                               const Padding& padding, bool pruned_is_zero, bool exact_float32) {
    const ProfileRange range(Region::kAttentionForward, LabelOf(pattern));
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    auto [out, log_sum_exp] = CallForward(q, k, v, pattern, padding, pruned_is_zero, exact_float32);
    context->save_for_backward({q, k, v, out, log_sum_exp, padding.value_or(at::Tensor())});
    context->saved_data["pattern"] = pattern;
    context->saved_data["pruned_is_zero"] = pruned_is_zero;
    context->saved_data["exact_float32"] = exact_float32;
    context->mark_non_differentiable({log_sum_exp});
    // No gradient of zeros for log_sum_exp, which nobody reads.
    context->set_materialize_grads(false);
    return {out, log_sum_exp};
  }

  static variable_list Gradients(AutogradContext* context, const variable_list& grads) {
    static const auto op = c10::Dispatcher::singleton()
                               .findSchemaOrThrow("spion::block_sparse_attention_backward", "")
                               .typed<BackwardSignature>();
    const at::Tensor none;
    variable_list result(7);
    if (!grads[0].defined()) return result;
    const PatternPointer pattern = context->saved_data["pattern"].toCustomClass<PatternObject>();
    const ProfileRange range(Region::kAttentionBackward, LabelOf(pattern));
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& padding = saved[5];
    std::tie(result[0], result[1], result[2]) =
        op.call(grads[0], saved[0], saved[1], saved[2], saved[3], saved[4], pattern,
                padding.defined() ? Padding(padding) : std::nullopt,
                context->saved_data["pruned_is_zero"].toBool(),
                context->saved_data["exact_float32"].toBool());
    return result;
  }
};

std::tuple<at::Tensor, at::Tensor> AutogradForward(const at::Tensor& q, const at::Tensor& k,
                                                   const at::Tensor& v,
                                                   const PatternPointer& pattern,
                                                   const Padding& padding, bool pruned_is_zero,
                                                   bool exact_float32) {
  variable_list results =
      BlockSparseFunction::apply(q, k, v, pattern, padding, pruned_is_zero, exact_float32);
  return {results[0], results[1]};
}

}  // namespace

at::Tensor BlockSparseAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                const PatternTensors& pattern,
                                const std::optional<at::Tensor>& padding, PrunedScore pruned,
                                Float32Math float32) {
  return std::get<0>(CallForward(q, k, v, c10::make_intrusive<PatternObject>(pattern), padding,
                                 pruned == PrunedScore::kZero, float32 == Float32Math::kExact));
}

TORCH_LIBRARY_FRAGMENT(spion, library) {
  RegisterPatternObject();
  library.def(
      "block_sparse_attention(Tensor q, Tensor k, Tensor v, "
      "__torch__.torch.classes.spion.BlockPattern pattern, Tensor? padding, bool pruned_is_zero, "
      "bool exact_float32) -> (Tensor out, Tensor log_sum_exp)");
  library.def(
      "block_sparse_attention_backward(Tensor grad_out, Tensor q, Tensor k, Tensor v, Tensor out, "
      "Tensor log_sum_exp, __torch__.torch.classes.spion.BlockPattern pattern, Tensor? padding, "
      "bool pruned_is_zero, bool exact_float32) "
      "-> (Tensor grad_q, Tensor grad_k, Tensor grad_v)");
}

TORCH_LIBRARY_IMPL(spion, Autograd, library) {
  RegisterPatternObject();
  library.impl("block_sparse_attention", AutogradForward);
  library.impl("block_sparse_attention_backward",
               torch::autograd::autogradNotImplementedFallback());
}

}  // namespace spion
