#include "spion/nn/fused_dense_attention.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/scaled_dot_product_attention.h>

namespace spion {

at::Tensor FusedDenseAttention::Forward(const at::Tensor& q, const at::Tensor& k,
                                        const at::Tensor& v, const Lengths& lengths) {
  if (!lengths.has_value()) return at::scaled_dot_product_attention(q, k, v);
  const int64_t length = k.size(2);
  const at::Tensor positions = at::arange(length, lengths->options());
  const at::Tensor valid =
      positions.unsqueeze(0).lt(lengths->unsqueeze(1)).view({-1, 1, 1, length});
  return at::scaled_dot_product_attention(q, k, v, valid);
}

}  // namespace spion
