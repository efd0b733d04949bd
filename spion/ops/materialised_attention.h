// Softmax attention with its probabilities in memory, on a GPU in bfloat16: the textbook's way,
// each pass over B x H x L x L made once. LibTorch's softmax, masks and conversions take twice as
// many.
#ifndef SPION_OPS_MATERIALISED_ATTENTION_H_
#define SPION_OPS_MATERIALISED_ATTENTION_H_

#include <ATen/core/Tensor.h>

#include <optional>

namespace spion {

/// Whether MaterialisedAttention takes tensors like q [B, H, L, d]: bfloat16 on a GPU, any B and H,
/// L a multiple of 8 up to 8192, d at least 1.
bool CanMaterialise(const at::Tensor& q);

/// softmax(q k^T / sqrt d) v, differentiable once; q, k, v: [B, H, L, d]. Probabilities are
/// computed and kept in float32, and rounded to bfloat16 for the products. lengths: int32 [B], keys
/// at and after them have probability 0; an example without keys has equal probabilities, whatever
/// q and k. Deterministic. Throws c10::Error for tensors that CanMaterialise does not take.
at::Tensor MaterialisedAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                 const std::optional<at::Tensor>& lengths);

}  // namespace spion

#endif  // SPION_OPS_MATERIALISED_ATTENTION_H_
