#include "baselines/nystromformer/nystromformer_attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>

#include <cmath>

#include "baselines/iterative_inverse/iterative_inverse.h"
#include "baselines/nystromformer/sequence_convolution.h"
#include "baselines/without_autocast.h"
#include "spion/nn/padding.h"

namespace spion {
namespace {

// As a convolution of PyTorch's with `kernel` inputs for each output.
at::Tensor InitialFilters(int64_t heads, int64_t kernel) {
  const double bound = 1 / std::sqrt(static_cast<double>(kernel));
  return at::empty({heads, kernel}).uniform_(-bound, bound);
}

// [B, H, L, d] -> [B, H, count, d]
at::Tensor SegmentMeans(const at::Tensor& x, int64_t count) {
  return x.unflatten(2, {count, x.size(2) / count}).mean(3);
}

}  // namespace

NystromformerAttention::NystromformerAttention(const AttentionContext& context,
                                               const NystromformerOptions& options)
    : options_(options),
      convolution_(
          context.parameters.Add("convolution", InitialFilters(context.heads, options.kernel))) {
  TORCH_CHECK(context.length % options.landmarks == 0, "nystromformer: a sequence of ",
              context.length, " does not split into ", options.landmarks,
              " segments; take a length that is a multiple of it");
}

at::Tensor NystromformerAttention::Forward(const at::Tensor& q, const at::Tensor& k,
                                           const at::Tensor& v, const Lengths& lengths) {
  const WithoutAutocast own_types;
  const int64_t length = q.size(2);
  at::Tensor queries = q;
  at::Tensor keys = k;
  at::Tensor values = v;
  std::optional<at::Tensor> key_mask;  // true for keys that may be attended to
  if (lengths.has_value()) {
    const at::Tensor valid = ValidPositions(*lengths, length);
    const at::Tensor padded = valid.logical_not().view({-1, 1, length, 1});
    queries = q.masked_fill(padded, 0);
    keys = k.masked_fill(padded, 0);
    values = v.masked_fill(padded, 0);
    key_mask = valid.view({-1, 1, 1, length});
  }
  const at::Tensor query_means = SegmentMeans(queries, options_.landmarks);
  const at::Tensor key_means = SegmentMeans(keys, options_.landmarks);

  const at::ScalarType inverse_type = c10::promoteTypes(at::kFloat, q.scalar_type());
  const double scale = 1 / std::sqrt(static_cast<double>(q.size(3)));
  const at::Tensor between = at::softmax(
      at::matmul(query_means.to(inverse_type) * scale, key_means.to(inverse_type).transpose(2, 3)),
      3);  // [B, H, m, m]
  const at::Tensor seen =
      at::scaled_dot_product_attention(query_means, keys, values, key_mask);  // [B, H, m, d]
  const at::Tensor mixed =
      at::matmul(IterativeInverse(between, options_.inverse_steps), seen.to(inverse_type))
          .to(v.scalar_type());
  const at::Tensor neighbours = SequenceConvolution(values, convolution_.to(v.scalar_type()));
  return at::scaled_dot_product_attention(queries, key_means, mixed) + neighbours;
}

}  // namespace spion
