// The block-sparse attention operator for LibTorch: spion::block_sparse_attention.
//
//   at::Tensor out = BlockSparseAttention(q, k, v, pattern, padding, PrunedScore::kZero);
//
// Differentiable in q, k and v (once). Registered with TORCH_LIBRARY, so Python reaches it as
// torch.ops.spion.block_sparse_attention after torch.ops.load_library.
// What it computes: spion/kernels/block_sparse/api.h.
#ifndef SPION_OPS_BLOCK_SPARSE_ATTENTION_H_
#define SPION_OPS_BLOCK_SPARSE_ATTENTION_H_

#include <ATen/core/Tensor.h>

#include <optional>

#include "spion/kernels/block_sparse/api.h"
#include "spion/ops/pattern_tensors.h"

namespace spion {

/// q, k, v: [B, H, L, d], fp32, any strides but unit stride along d (as they come out of a fused
/// projection). padding: int32 [B] lengths, or bool [B, L] with true for valid keys, or nothing.
/// The scores are scaled by 1 / sqrt(d).
/// Returns [B, H, L, d], laid out in memory as [B, L, H, d], so that joining the heads is a view.
/// Throws c10::Error naming the value and what is supported.
at::Tensor BlockSparseAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                const PatternTensors& pattern,
                                const std::optional<at::Tensor>& padding, PrunedScore pruned);

}  // namespace spion

#endif  // SPION_OPS_BLOCK_SPARSE_ATTENTION_H_
