// Nystromformer's attention: softmax attention by Nystrom's method, with the means of L / landmarks
// neighbours as landmarks, and a depthwise convolution of the values along the sequence beside it.
//
//   softmax(Q K~^T) softmax(Q~ K~^T)^+ softmax(Q~ K^T) V + conv(V),   all scores divided by sqrt d
//
// ^+ by the iterative inverse, in float32 at least. Padded queries, keys and values count as zero,
// in the means too, and padded keys are never attended to. The softmaxes over L are LibTorch's
// fused attention, so no L x landmarks matrix is held.
// Source: Xiong et al., "Nystromformer", arXiv 2102.03902.
#ifndef BASELINES_NYSTROMFORMER_NYSTROMFORMER_ATTENTION_H_
#define BASELINES_NYSTROMFORMER_NYSTROMFORMER_ATTENTION_H_

#include <cstdint>

#include "spion/nn/attention.h"

namespace spion {

struct NystromformerOptions {
  int64_t landmarks = 128;
  int64_t inverse_steps = 6;
  int64_t kernel = 35;  // odd; tokens
};

class NystromformerAttention : public Attention {
 public:
  /// Registers "convolution", [H, kernel]: a filter for each head.
  /// Throws c10::Error if the length is not a multiple of the landmarks.
  explicit NystromformerAttention(const AttentionContext& context,
                                  const NystromformerOptions& options = {});

  at::Tensor Forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const Lengths& lengths) override;

 private:
  NystromformerOptions options_;
  at::Tensor convolution_;
};

}  // namespace spion

#endif  // BASELINES_NYSTROMFORMER_NYSTROMFORMER_ATTENTION_H_
