#include "spion/nn/fused_dense_attention.h"

#include <ATen/ops/scaled_dot_product_attention.h>

#include "spion/nn/padding.h"

namespace spion {

at::Tensor FusedDenseAttention::Forward(const at::Tensor& q, const at::Tensor& k,
                                        const at::Tensor& v, const Lengths& lengths) {
  if (!lengths.has_value()) return at::scaled_dot_product_attention(q, k, v);
  const int64_t length = k.size(2);
  const at::Tensor valid = ValidPositions(*lengths, length).view({-1, 1, 1, length});
  return at::scaled_dot_product_attention(q, k, v, valid);
}

}  // namespace spion
