#include "spion/nn/spion_attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones_like.h>

#include <utility>

#include "spion/nn/padding.h"
#include "spion/ops/attention_map.h"
#include "spion/ops/block_sparse_attention.h"

namespace spion {

SpionAttention::SpionAttention(int64_t layer, int64_t length, c10::Device device,
                               PrunedScore pruned)
    : layer_(layer),
      length_(length),
      device_(device),
      pruned_(pruned),
      dense_(std::in_place, layer, length, device) {}

at::Tensor SpionAttention::Forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                   const Lengths& lengths) {
  if (pattern_.has_value()) {
    if (std::exchange(share_requested_, false)) pruned_share_ = PrunedShare(q, k, v, lengths);
    return BlockSparseAttention(q, k, v, pattern_tensors_, lengths, pruned_);
  }
  if (std::exchange(map_requested_, false)) map_ = MeanAttentionMap(q, k, lengths);
  return dense_->Forward(q, k, v, lengths);
}

// With ones for values each row comes out as what its kept entries weigh; pruned ones have the
// rest.
at::Tensor SpionAttention::PrunedShare(const at::Tensor& q, const at::Tensor& k,
                                       const at::Tensor& v, const Lengths& lengths) const {
  const at::Tensor kept =
      BlockSparseAttention(q, k, at::ones_like(v), pattern_tensors_, lengths, pruned_)
          .select(3, 0)
          .mean(1, /*keepdim=*/false, at::kDouble);  // [B, L]
  if (!lengths.has_value()) return 1 - kept.mean();
  const at::Tensor valid = ValidPositions(*lengths, length_);
  return 1 - (kept * valid).sum() / valid.sum();
}

void SpionAttention::RequestPrunedShare() {
  TORCH_CHECK(HasPrunedShare(),
              "pruned entries have no share of the softmax in the dense phase, nor where they are "
              "left out of it");
  share_requested_ = true;
}

at::Tensor SpionAttention::TakePrunedShare() {
  TORCH_CHECK(pruned_share_.defined(),
              "no share was computed: RequestPrunedShare, then a forward pass");
  return std::exchange(pruned_share_, at::Tensor());
}

void SpionAttention::RequestMap() {
  TORCH_CHECK(!pattern_.has_value(), "the sparse phase computes no attention map");
  map_requested_ = true;
}

at::Tensor SpionAttention::TakeMap() {
  TORCH_CHECK(map_.defined(), "no attention map was captured: RequestMap, then a forward pass");
  return std::exchange(map_, at::Tensor());
}

void SpionAttention::SetPattern(const BlockPattern& pattern) {
  TORCH_CHECK(pattern.length() == length_, "a pattern for length ", pattern.length(),
              " does not fit a layer of length ", length_);
  pattern_ = pattern;
  pattern_tensors_ = ToTensors(pattern, device_);
  pattern_tensors_.layer = layer_;
  dense_.reset();
  map_requested_ = false;
  map_ = at::Tensor();
}

}  // namespace spion
