#include "spion/ops/split_heads.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

namespace spion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor Slice(const at::Tensor& packed, int64_t i) {
  return packed.select(2, i).transpose(1, 2);
}

// The [B, L, 3, H, d] whose slices the gradients are, or an undefined tensor.
at::Tensor FindPacked(const variable_list& grads) {
  const at::Tensor& first = grads[0];
  const int64_t batch = first.size(0), heads = first.size(1), length = first.size(2);
  const int64_t dim = first.size(3);
  const int64_t part = heads * dim;
  const at::Tensor none;
  for (int64_t i = 0; i < 3; ++i) {
    const at::Tensor& grad = grads[i];
    const bool is_slice = grad.storage().is_alias_of(first.storage()) &&
                          grad.storage_offset() == first.storage_offset() + i * part &&
                          grad.strides() == at::IntArrayRef({3 * part * length, dim, 3 * part, 1});
    if (!is_slice) return none;
  }
  return first.as_strided({batch, length, 3 * part}, {3 * part * length, 3 * part, 1});
}

class SplitHeadsFunction : public torch::autograd::Function<SplitHeadsFunction> {
 public:
  static variable_list forward(AutogradContext*, const at::Tensor& qkv, int64_t heads) {
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    const int64_t dim = qkv.size(2) / (3 * heads);  // spelt out: an empty tensor could not tell
    const at::Tensor packed = qkv.view({qkv.size(0), qkv.size(1), 3, heads, dim});
    return {Slice(packed, 0), Slice(packed, 1), Slice(packed, 2)};
  }

  static variable_list backward(AutogradContext*, const variable_list& grads) {
    // Where the gradient gets a graph of its own, each slice must be seen: copies are
    // differentiable.
    const at::Tensor found = at::GradMode::is_enabled() ? at::Tensor() : FindPacked(grads);
    if (found.defined()) return {found, at::Tensor()};
    const at::Tensor& first = grads[0];
    const at::Tensor packed =
        at::empty({first.size(0), first.size(2), 3, first.size(1), first.size(3)}, first.options());
    for (int64_t i = 0; i < 3; ++i) Slice(packed, i).copy_(grads[i]);
    return {packed.flatten(2), at::Tensor()};
  }
};

}  // namespace

std::array<at::Tensor, 3> SplitHeads(const at::Tensor& qkv, int64_t heads) {
  TORCH_CHECK(heads > 0 && qkv.dim() == 3 && qkv.is_contiguous() && qkv.size(2) % (3 * heads) == 0,
              "SplitHeads takes a contiguous [batch, length, 3 * heads * d]; got ", qkv.sizes(),
              " for ", heads, " heads",
              qkv.is_contiguous() ? "" : ", not contiguous: call .contiguous()");
  variable_list parts = SplitHeadsFunction::apply(qkv, heads);
  return {parts[0], parts[1], parts[2]};
}

}  // namespace spion
