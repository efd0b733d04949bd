// Full softmax attention through LibTorch's fused scaled_dot_product_attention.
#ifndef SPION_NN_FUSED_DENSE_ATTENTION_H_
#define SPION_NN_FUSED_DENSE_ATTENTION_H_

#include "spion/nn/attention.h"

namespace spion {

class FusedDenseAttention : public Attention {
 public:
  at::Tensor Forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const Lengths& lengths) override;
};

}  // namespace spion

#endif  // SPION_NN_FUSED_DENSE_ATTENTION_H_
