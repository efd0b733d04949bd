#include "spion/nn/every_block_attention.h"

#include <cstdint>
#include <vector>

#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/common/head_dim.h"
#include "spion/ops/block_sparse_attention.h"
#include "spion/pattern/block_pattern.h"

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

bool EveryBlockAttention::TakesEveryBlock(const at::Tensor& q, const Lengths& lengths) const {
  return !q.is_cpu() && length_ % kSmallestBlock == 0 && TakesHeadDim(q.size(3)) &&
         (lengths.has_value() || q.element_size() == 2);
}

const PatternTensors& EveryBlockAttention::every_block() {
  if (!every_block_.has_value()) {
    every_block_ = ToTensors(EveryBlock(length_), device_);
    every_block_->layer = layer_;
  }
  return *every_block_;
}

at::Tensor EveryBlockAttention::Forward(const at::Tensor& q, const at::Tensor& k,
                                        const at::Tensor& v, const Lengths& lengths) {
  if (TakesEveryBlock(q, lengths)) {
    return BlockSparseAttention(q, k, v, every_block(), lengths, PrunedScore::kExcluded);
  }
  return fused_.Forward(q, k, v, lengths);
}

}  // namespace spion
