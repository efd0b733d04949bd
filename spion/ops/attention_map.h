// The mean attention map of a dense layer: what SPION makes its patterns from.
//
//   at::Tensor map = MeanAttentionMap(q, k, /*padding=*/{});   // [L, L]
//
// What it computes: spion/kernels/attention_map/api.h. Not differentiable.
#ifndef SPION_OPS_ATTENTION_MAP_H_
#define SPION_OPS_ATTENTION_MAP_H_

#include <ATen/core/Tensor.h>

#include <optional>

namespace spion {

/// q, k: [B, H, L, d] with unit stride along d, in the dtypes and layouts of BlockSparseAttention,
/// L a positive multiple of 16; padding likewise. Returns a contiguous fp32 [L, L] tensor on q's
/// device, zeros if B or H is 0. Throws c10::Error naming what is supported.
at::Tensor MeanAttentionMap(const at::Tensor& q, const at::Tensor& k,
                            const std::optional<at::Tensor>& padding);

}  // namespace spion

#endif  // SPION_OPS_ATTENTION_MAP_H_
