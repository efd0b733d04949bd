// Softmax attention within a block pattern that stays as it is: SPION's block-sparse operator, so
// that only the pattern differs. Pruned pairs are left out of the softmax, as all these methods
// have it.
//
// Rows, dtypes and determinism as BlockSparseAttention's (spion/ops): float32 on the CPU, where
// mixed precision does not run. A query that sees padding alone gives zeros.
#ifndef BASELINES_FIXED_PATTERN_FIXED_PATTERN_ATTENTION_H_
#define BASELINES_FIXED_PATTERN_FIXED_PATTERN_ATTENTION_H_

#include "spion/nn/attention.h"
#include "spion/ops/pattern_tensors.h"
#include "spion/pattern/block_pattern.h"

namespace spion {

class FixedPatternAttention : public Attention {
 public:
  /// `layer` is its number in the model, for profiles.
  FixedPatternAttention(const BlockPattern& pattern, int64_t layer, c10::Device device);

  at::Tensor Forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const Lengths& lengths) override;

  const BlockPattern* pattern() const override { return &pattern_; }

 private:
  BlockPattern pattern_;
  PatternTensors tensors_;
};

}  // namespace spion

#endif  // BASELINES_FIXED_PATTERN_FIXED_PATTERN_ATTENTION_H_
