#include "spion/ops/block_sparse_attention.h"

#include <ATen/core/ivalue.h>
#include <torch/csrc/autograd/autograd_not_implemented_fallback.h>
#include <torch/library.h>

#include <cmath>
#include <tuple>
#include <utility>

#include "spion/ops/find_operator.h"
#include "spion/ops/once_differentiable.h"
#include "spion/ops/stable_call.h"
#include "spion/profiling/range.h"

namespace spion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Padding = std::optional<at::Tensor>;

using ForwardSignature = std::tuple<at::Tensor, at::Tensor>(const at::Tensor&, const at::Tensor&,
                                                            const at::Tensor&, const at::Tensor&,
                                                            int64_t, int64_t, int64_t, c10::SymInt,
                                                            c10::SymInt, const Padding&, double,
                                                            bool, bool, bool);
using BackwardSignature = at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                     const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                     const at::Tensor&, int64_t, int64_t, int64_t, c10::SymInt,
                                     c10::SymInt, const Padding&, double, bool, bool, bool);

/// What the backward pass needs of a forward pass's arguments besides its tensors.
struct CallOptions : torch::CustomClassHolder {
  CallOptions(PatternTensors pattern, bool pruned_is_zero, bool exact_float32, bool deterministic)
      : pattern(std::move(pattern)),
        pruned_is_zero(pruned_is_zero),
        exact_float32(exact_float32),
        deterministic(deterministic) {}

  RangeLabel label() const {
    return {.layer = static_cast<int>(pattern.layer), .kept_blocks = pattern.kept_blocks};
  }

  PatternTensors pattern;
  bool pruned_is_zero;
  bool exact_float32;
  bool deterministic;
};
using CallOptionsPointer = c10::intrusive_ptr<CallOptions>;

double Scale(const at::Tensor& q) {
  return q.dim() == 4 ? 1.0 / std::sqrt(static_cast<double>(q.size(3))) : 1.0;
}

std::tuple<at::Tensor, at::Tensor> CallForward(const at::Tensor& q, const at::Tensor& k,
                                               const at::Tensor& v, const CallOptions& options,
                                               const Padding& padding) {
  static const auto op = FindOperator<ForwardSignature>("spion::block_sparse_attention");
  const PatternTensors& pattern = options.pattern;
  return CallStable([&] {
    return op.call(q, k, v, pattern.packed, pattern.block_size, pattern.shape.patterns,
                   pattern.shape.blocks_per_side, pattern.shape.long_rows, pattern.shape.long_lines,
                   padding, Scale(q), options.pruned_is_zero, options.exact_float32,
                   options.deterministic);
  });
}

at::Tensor CallBackward(const at::Tensor& grad_out, const variable_list& saved,
                        const CallOptions& options) {
  static const auto op = FindOperator<BackwardSignature>("spion::block_sparse_attention_backward");
  const PatternTensors& pattern = options.pattern;
  const Padding padding = saved[5].defined() ? Padding(saved[5]) : std::nullopt;
  return CallStable([&] {
    return op.call(grad_out, saved[0], saved[1], saved[2], saved[3], saved[4], pattern.packed,
                   pattern.block_size, pattern.shape.patterns, pattern.shape.blocks_per_side,
                   pattern.shape.long_rows, pattern.shape.long_lines, padding, Scale(saved[0]),
                   options.pruned_is_zero, options.exact_float32, options.deterministic);
  });
}

class BlockSparseFunction : public OnceDifferentiable<BlockSparseFunction> {
 public:
  static constexpr char kName[] = "BlockSparseAttention";

  static at::Tensor forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v, const CallOptionsPointer& options,
                            const Padding& padding) {
    const ProfileRange range(Region::kAttentionForward, options->label());
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    auto [out, log_sum_exp] = CallForward(q, k, v, *options, padding);
    context->save_for_backward({q, k, v, out, log_sum_exp, padding.value_or(at::Tensor())});
    context->saved_data["options"] = at::IValue::make_capsule(options);
    context->set_materialize_grads(false);
    return out;
  }

  static variable_list Gradients(AutogradContext* context, const variable_list& grads) {
    variable_list result(5);
    if (!grads[0].defined()) return result;
    const auto options =
        c10::static_intrusive_pointer_cast<CallOptions>(context->saved_data["options"].toCapsule());
    const ProfileRange range(Region::kAttentionBackward, options->label());
    const at::Tensor packed = CallBackward(grads[0], context->get_saved_variables(), *options);
    for (int64_t i = 0; i < 3; ++i) result[i] = packed.select(2, i).transpose(1, 2);
    return result;
  }
};

}  // namespace

at::Tensor BlockSparseAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                const PatternTensors& pattern,
                                const std::optional<at::Tensor>& padding, PrunedScore pruned,
                                Float32Math float32, bool deterministic) {
  constexpr char kOp[] = "block-sparse attention";
  CheckPlain(kOp, "q", q);
  CheckPlain(kOp, "k", k);
  CheckPlain(kOp, "v", v);
  CheckPlain(kOp, "the pattern, as ToTensors makes it,", pattern.packed);
  return BlockSparseFunction::apply(
      q, k, v,
      c10::make_intrusive<CallOptions>(pattern, pruned == PrunedScore::kZero,
                                       float32 == Float32Math::kExact, deterministic),
      padding);
}

TORCH_LIBRARY_IMPL(spion, Autograd, library) {
  for (const char* name : {"block_sparse_attention", "block_sparse_attention_backward"}) {
    library.impl(name, torch::autograd::autogradNotImplementedFallback());
  }
}

}  // namespace spion
