// The block-sparse attention operator for LibTorch, with its gradients.
//
//   at::Tensor out = BlockSparseAttention(q, k, v, pattern, padding, PrunedScore::kZero);
//
// Differentiable in q, k and v, once: a gradient of their gradients is a c10::Error. Stands on the
// operators of spion/ops/stable, as the Python package does.
//
// What it computes: spion/kernels/block_sparse/api.h. On a GPU it runs on the current stream,
// allocates its results, and scratch where the backward pass has such (api.h), and may be captured
// into a CUDA graph.
#ifndef SPION_OPS_BLOCK_SPARSE_ATTENTION_H_
#define SPION_OPS_BLOCK_SPARSE_ATTENTION_H_

#include <ATen/core/Tensor.h>

#include <optional>

#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/common/number.h"
#include "spion/ops/pattern_tensors.h"
#include "spion/platform/float32_math.h"

namespace spion {

/// q, k, v: [B, H, L, d], any strides but unit stride along d (as they come out of a fused
/// projection), B and H up to 2^31 in all, or 0: empty in, empty out. On the CPU fp32; on a GPU
/// fp16, bf16 or fp32, rows aligned to 16 bytes, a head within 4 GiB, fp32 multiplied as `float32`
/// says. padding: int32 [B] lengths, of which one below 0 counts as 0 and one beyond L as L; or
/// bool [B, L] with true for valid keys; or nothing. Padded keys and values are finite all the
/// same. The scores are scaled by 1 / sqrt(d). Returns [B, H, L, d], laid out in memory as [B, L,
/// H, d], so that joining the heads is a view; as [B, H, L, d] where a head would else spread over
/// 4 GiB. Deterministic, on the CPU for one number of threads, unless `deterministic` is false:
/// that permits a backward pass whose dQ differs in its last bits from run to run, where there is
/// such a one (api.h). Throws c10::Error naming the value and what is supported.
at::Tensor BlockSparseAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                const PatternTensors& pattern,
                                const std::optional<at::Tensor>& padding, PrunedScore pruned,
                                Float32Math float32 = LibTorchFloat32Math(),
                                bool deterministic = true);

}  // namespace spion

#endif  // SPION_OPS_BLOCK_SPARSE_ATTENTION_H_
