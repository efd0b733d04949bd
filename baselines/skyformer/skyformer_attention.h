// Skyformer's attention: kernelised attention by Nystrom's method with drawn landmarks and an
// iterative inverse. Time and memory grow with L.
//
// Landmarks are drawn anew in every pass, from LibTorch's generator (at::manual_seed), as dropout
// is. In float32 throughout, under mixed precision too (double inputs: in double).
// Source: Chen et al., "Skyformer", arXiv 2111.00035.
#ifndef BASELINES_SKYFORMER_SKYFORMER_ATTENTION_H_
#define BASELINES_SKYFORMER_SKYFORMER_ATTENTION_H_

#include <cstdint>

#include "spion/nn/attention.h"

namespace spion {

struct SkyformerOptions {
  int64_t landmarks = 128;
  double ridge = 0.1;
  int64_t inverse_steps = 6;
};

class SkyformerAttention : public Attention {
 public:
  explicit SkyformerAttention(const SkyformerOptions& options = {}) : options_(options) {}

  /// Throws c10::Error if there are fewer queries and keys than landmarks.
  at::Tensor Forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const Lengths& lengths) override;

 private:
  SkyformerOptions options_;
};

}  // namespace spion

#endif  // BASELINES_SKYFORMER_SKYFORMER_ATTENTION_H_
