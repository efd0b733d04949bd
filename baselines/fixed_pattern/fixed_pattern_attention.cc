#include "baselines/fixed_pattern/fixed_pattern_attention.h"

#include "spion/kernels/block_sparse/api.h"
#include "spion/ops/block_sparse_attention.h"

namespace spion {

FixedPatternAttention::FixedPatternAttention(const BlockPattern& pattern, int64_t layer,
                                             c10::Device device)
    : pattern_(pattern), tensors_(ToTensors(pattern, device)) {
  tensors_.layer = layer;
}

at::Tensor FixedPatternAttention::Forward(const at::Tensor& q, const at::Tensor& k,
                                          const at::Tensor& v, const Lengths& lengths) {
  return BlockSparseAttention(q, k, v, tensors_, lengths, PrunedScore::kExcluded);
}

}  // namespace spion
