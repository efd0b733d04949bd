// Kernelised attention: out_i = sum_j exp(-|q_i - k_j|^2 / (2 sqrt d)) v_j, not normalised. What
// Skyformer approximates; its L x L kernel is held in memory.
//
// In float32 throughout, under mixed precision too (double inputs: in double).
// Source: Chen et al., "Skyformer", arXiv 2111.00035.
#ifndef BASELINES_SKYFORMER_KERNELISED_ATTENTION_H_
#define BASELINES_SKYFORMER_KERNELISED_ATTENTION_H_

#include "spion/nn/attention.h"

namespace spion {

class KernelisedAttention : public Attention {
 public:
  at::Tensor Forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const Lengths& lengths) override;
};

}  // namespace spion

#endif  // BASELINES_SKYFORMER_KERNELISED_ATTENTION_H_
