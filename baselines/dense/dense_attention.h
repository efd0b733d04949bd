// Full softmax attention as the original Transformer computes it: the L x L probabilities are held
// in memory, in float32 (in double for double inputs).
//
// The products take their inputs' type, so under mixed precision they are bf16 products around a
// float32 softmax, on a GPU by SPION's own kernels (spion/ops/materialised_attention.h). A query
// with no valid key at all gives the mean of all values.
#ifndef BASELINES_DENSE_DENSE_ATTENTION_H_
#define BASELINES_DENSE_DENSE_ATTENTION_H_

#include "spion/nn/attention.h"

namespace spion {

class DenseAttention : public Attention {
 public:
  at::Tensor Forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const Lengths& lengths) override;
};

}  // namespace spion

#endif  // BASELINES_DENSE_DENSE_ATTENTION_H_
