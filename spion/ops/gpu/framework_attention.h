// The same attention by LibTorch's own operators, in the inputs' element type: what the kernels'
// errors are measured against (docs/adr/0005-tolerances.md). Differentiable. Shares no code with
// the kernels; framework_attention_test holds it against the oracle.
#ifndef SPION_OPS_GPU_FRAMEWORK_ATTENTION_H_
#define SPION_OPS_GPU_FRAMEWORK_ATTENTION_H_

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "spion/kernels/block_sparse/problem.h"
#include "spion/ops/gpu/precision_case.h"
#include "spion/pattern/block_pattern.h"

namespace spion {

/// Scores, softmax and probabilities of all L x L pairs, held in memory in q's element type.
/// Arguments as BlockSparseAttention's.
at::Tensor MaterialisedAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                 const std::vector<BlockPattern>& patterns,
                                 const std::optional<at::Tensor>& padding, PrunedScore pruned);

/// For sequences too long for L x L: keys and values of the kept blocks are gathered, row by row.
/// One pattern, with as many blocks in every row; no padding.
at::Tensor GatheredAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                             const BlockPattern& pattern, PrunedScore pruned);

/// Softmax over all valid keys, averaged over batch and heads: fp32 [L, L].
at::Tensor MaterialisedMap(const at::Tensor& q, const at::Tensor& k,
                           const std::optional<at::Tensor>& padding);

/// Forward and backward of MaterialisedAttention in the case's precision.
AttentionResult RunFramework(const PrecisionCase& c, c10::Device device);

}  // namespace spion

#endif  // SPION_OPS_GPU_FRAMEWORK_ATTENTION_H_
