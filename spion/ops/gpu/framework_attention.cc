#include "spion/ops/gpu/framework_attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace spion {
namespace {

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

/// scale * q k^T of batched matrices [N, rows, d] and [N, keys, d]; scaled before the result is
/// rounded, so that fp16 does not overflow.
at::Tensor Scores(const at::Tensor& q, const at::Tensor& k) {
  const double scale = 1 / std::sqrt(static_cast<double>(q.size(-1)));
  return at::baddbmm(at::zeros({1, 1, 1}, q.options().requires_grad(false)), q, k.transpose(1, 2),
                     /*beta=*/0, /*alpha=*/scale);
}

at::Tensor HeadScores(const at::Tensor& q, const at::Tensor& k) {
  const int64_t length = q.size(2);
  return Scores(q.flatten(0, 1), k.flatten(0, 1)).view({q.size(0), q.size(1), length, length});
}

/// Which pairs the patterns keep: bool [1, 1 or H, L, L].
at::Tensor Kept(const std::vector<BlockPattern>& patterns, c10::Device device) {
  std::vector<at::Tensor> masks;
  for (const BlockPattern& pattern : patterns) {
    std::vector<uint8_t> flags = pattern.mask();
    const int64_t n = pattern.blocks_per_side();
    masks.push_back(at::from_blob(flags.data(), {n, n}, at::kByte)
                        .to(at::kBool)
                        .repeat_interleave(pattern.block_size(), 0)
                        .repeat_interleave(pattern.block_size(), 1));
  }
  return at::stack(masks).unsqueeze(0).to(device);
}

/// Which keys count: bool [1 or B, 1, 1, L].
at::Tensor Valid(const at::Tensor& q, const std::optional<at::Tensor>& padding) {
  const int64_t length = q.size(2);
  if (!padding.has_value()) {
    return at::full({1, 1, 1, length}, true, q.options().requires_grad(false).dtype(at::kBool));
  }
  if (padding->dim() == 2) return padding->view({q.size(0), 1, 1, length});
  const at::Tensor keys = at::arange(length, padding->options());
  return keys.unsqueeze(0).lt(padding->unsqueeze(1)).view({q.size(0), 1, 1, length});
}

/// Softmax over the last dimension. Where `attended` is false a score counts as `elsewhere`, and
/// its probability is returned as 0; a row in which nothing counts gives zeros.
at::Tensor MaskedSoftmax(const at::Tensor& scores, const at::Tensor& attended,
                         const at::Tensor& elsewhere) {
  const at::Tensor counts = attended.logical_or(elsewhere.ne(kMinusInfinity));
  const at::Tensor empty_row = counts.any(-1, /*keepdim=*/true).logical_not();
  const at::Tensor zero = at::zeros({}, scores.options().requires_grad(false));
  const at::Tensor filled = at::where(empty_row, zero, at::where(attended, scores, elsewhere));
  return at::where(attended, at::softmax(filled, -1), zero);
}

}  // namespace

at::Tensor MaterialisedAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                 const std::vector<BlockPattern>& patterns,
                                 const std::optional<at::Tensor>& padding, PrunedScore pruned) {
  const at::Tensor kept = Kept(patterns, q.device());
  const at::Tensor attended = kept.logical_and(Valid(q, padding));
  const auto plain = q.options().requires_grad(false);
  const at::Tensor elsewhere =
      at::where(kept, at::full({}, kMinusInfinity, plain),
                at::full({}, pruned == PrunedScore::kZero ? 0 : kMinusInfinity, plain));
  return at::matmul(MaskedSoftmax(HeadScores(q, k), attended, elsewhere), v);
}

at::Tensor GatheredAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                             const BlockPattern& pattern, PrunedScore pruned) {
  const int64_t n = pattern.blocks_per_side();
  const int64_t b = pattern.block_size();
  const int64_t kept = pattern.kept_blocks() / n;
  const int64_t heads = q.size(0) * q.size(1);
  const int64_t d = q.size(3);
  const at::Tensor columns = at::tensor(pattern.rows().indices, at::kInt).to(q.device());
  const auto gather = [&](const at::Tensor& x) {
    return x.reshape({heads, n, b * d}).index_select(1, columns).view({heads * n, kept * b, d});
  };
  // The softmax in fp32, beside one score whose weight is that of all the pruned zeros.
  const at::Tensor scores = Scores(q.reshape({heads * n, b, d}), gather(k)).to(at::kFloat);
  const double pruned_weight =
      pruned == PrunedScore::kZero ? static_cast<double>(pattern.length() - kept * b) : 0;
  const at::Tensor pruned_score =
      at::full({heads * n, b, 1}, std::log(pruned_weight), scores.options().requires_grad(false));
  const at::Tensor p = at::softmax(at::cat({scores, pruned_score}, -1), -1)
                           .narrow(-1, 0, kept * b)
                           .to(q.scalar_type());
  return at::matmul(p, gather(v)).view(q.sizes());
}

at::Tensor MaterialisedMap(const at::Tensor& q, const at::Tensor& k,
                           const std::optional<at::Tensor>& padding) {
  const at::Tensor elsewhere = at::full({}, kMinusInfinity, q.options().requires_grad(false));
  return MaskedSoftmax(HeadScores(q, k), Valid(q, padding), elsewhere)
      .to(at::kFloat)
      .mean(at::IntArrayRef{0, 1});
}

AttentionResult RunFramework(const PrecisionCase& c, c10::Device device) {
  const FrameworkPrecision precision(c.precision);
  const CaseTensors tensors = ToTensors(c, device);
  return ForwardAndBackward(
      [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
        return MaterialisedAttention(q, k, v, c.patterns, tensors.padding, c.pruned);
      },
      tensors);
}

}  // namespace spion
