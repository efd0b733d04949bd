#include "spion/nn/spion_attention.h"

#include <utility>

#include "spion/ops/attention_map.h"
#include "spion/ops/block_sparse_attention.h"

namespace spion {

SpionAttention::SpionAttention(int64_t layer, int64_t length, c10::Device device,
                               PrunedScore pruned)
    : layer_(layer), length_(length), device_(device), pruned_(pruned) {}

at::Tensor SpionAttention::Forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                   const Lengths& lengths) {
  if (pattern_.has_value()) {
    return BlockSparseAttention(q, k, v, pattern_tensors_, lengths, pruned_);
  }
  if (std::exchange(map_requested_, false)) map_ = MeanAttentionMap(q, k, lengths);
  return dense_.Forward(q, k, v, lengths);
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
  map_requested_ = false;
  map_ = at::Tensor();
}

}  // namespace spion
