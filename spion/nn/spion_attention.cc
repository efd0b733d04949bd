#include "spion/nn/spion_attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones_like.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "spion/kernels/common/head_dim.h"
#include "spion/nn/padding.h"
#include "spion/ops/attention_map.h"
#include "spion/ops/block_sparse_attention.h"

namespace spion {
namespace {

constexpr int64_t kSmallestBlock = 16;

// `length` is a multiple of kSmallestBlock.
BlockPattern EveryBlock(int64_t length) {
  int64_t block = 4 * kSmallestBlock;
  while (length % block != 0) block /= 2;
  const int64_t side = length / block;
  const std::vector<uint8_t> mask(side * side, 1);
  return BlockPattern::FromMask(static_cast<int>(side), static_cast<int>(block), mask).value();
}

}  // namespace

SpionAttention::SpionAttention(int64_t layer, int64_t length, c10::Device device,
                               PrunedScore pruned)
    : layer_(layer), length_(length), device_(device), pruned_(pruned) {}

// In float32 LibTorch's is the faster one where nothing is padding.
bool SpionAttention::TakesEveryBlock(const at::Tensor& q, const Lengths& lengths) const {
  return !q.is_cpu() && length_ % kSmallestBlock == 0 && TakesHeadDim(q.size(3)) &&
         (lengths.has_value() || q.element_size() == 2);
}

const PatternTensors& SpionAttention::every_block() {
  if (!every_block_.has_value()) {
    every_block_ = ToTensors(EveryBlock(length_), device_);
    every_block_->layer = layer_;
  }
  return *every_block_;
}

at::Tensor SpionAttention::Forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                   const Lengths& lengths) {
  if (pattern_.has_value()) {
    if (std::exchange(share_requested_, false)) pruned_share_ = PrunedShare(q, k, v, lengths);
    return BlockSparseAttention(q, k, v, pattern_tensors_, lengths, pruned_);
  }
  if (std::exchange(map_requested_, false)) map_ = MeanAttentionMap(q, k, lengths);
  if (TakesEveryBlock(q, lengths)) {
    return BlockSparseAttention(q, k, v, every_block(), lengths, PrunedScore::kExcluded);
  }
  return dense_.Forward(q, k, v, lengths);
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
  every_block_.reset();
  map_requested_ = false;
  map_ = at::Tensor();
}

}  // namespace spion
