// From the fused projection of queries, keys and values to heads, with autograd.
#ifndef SPION_OPS_SPLIT_HEADS_H_
#define SPION_OPS_SPLIT_HEADS_H_

#include <ATen/core/Tensor.h>

#include <array>

namespace spion {

/// q, k, v: [B, H, L, d] views of a contiguous qkv [B, L, 3 H d]. Their gradients become one; what
/// already lies side by side in memory as [B, L, 3, H, d], as block-sparse attention leaves it, is
/// taken as it is, without a copy. A missing gradient counts as zero. Differentiable any number of
/// times. Throws c10::Error for other sizes and strides.
std::array<at::Tensor, 3> SplitHeads(const at::Tensor& qkv, int64_t heads);

}  // namespace spion

#endif  // SPION_OPS_SPLIT_HEADS_H_
