#include "baselines/linformer/linformer_attention.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include <cmath>

#include "spion/nn/padding.h"

namespace spion {
namespace {

at::Tensor InitialProjection(int64_t projected, int64_t length) {
  const double bound = 1 / std::sqrt(static_cast<double>(length));
  return at::empty({projected, length}).uniform_(-bound, bound);
}

// [projected, L] times [B, H, L, d] -> [B, H, projected, d]. One large product over all heads,
// whose result has to be put in the order that fused attention reads.
at::Tensor Project(const at::Tensor& projection, const at::Tensor& x) {
  return at::matmul(projection.to(x.scalar_type()), x).contiguous();
}

}  // namespace

LinformerAttention::LinformerAttention(const AttentionContext& context,
                                       const LinformerOptions& options)
    : key_projection_(context.parameters.Add("key_projection",
                                             InitialProjection(options.projected, context.length))),
      value_projection_(context.parameters.Add(
          "value_projection", InitialProjection(options.projected, context.length))) {}

at::Tensor LinformerAttention::Forward(const at::Tensor& q, const at::Tensor& k,
                                       const at::Tensor& v, const Lengths& lengths) {
  const auto without_padding = [&](const at::Tensor& x) {
    if (!lengths.has_value()) return x;
    const int64_t length = x.size(2);
    const at::Tensor valid = ValidPositions(*lengths, length).view({-1, 1, length, 1});
    return x.masked_fill(valid.logical_not(), 0);
  };
  return at::scaled_dot_product_attention(q, Project(key_projection_, without_padding(k)),
                                          Project(value_projection_, without_padding(v)));
}

}  // namespace spion
