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

std::string_view WhyNotEveryBlock(c10::Device device, int64_t length, int64_t head_dim,
                                  bool has_padding, at::ScalarType type) {
  if (device.is_cpu()) return "the device is a CPU";
  if (length % kSmallestBlock != 0) return "16 does not divide the length";
  if (!TakesHeadDim(head_dim)) return "they do not take the head dimension";
  if (!has_padding && c10::elementSize(type) != 2) {
    return "it is the faster one without padding and not in 16 bits";
  }
  return "";
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
  if (WhyNotEveryBlock(q.device(), length_, q.size(3), lengths.has_value(), q.scalar_type())
          .empty()) {
    return BlockSparseAttention(q, k, v, every_block(), lengths, PrunedScore::kExcluded);
  }
  return fused_.Forward(q, k, v, lengths);
}

}  // namespace spion
