// Full softmax attention as block-sparse attention with every block: blocks of padding are left
// out, and gradients are added up in a fixed order, so that a seed gives the same run again. What
// SPION's dense phase computes, and the method every_block.
//
// It is LibTorch's fused attention instead (fused_dense_attention.h), which computes and masks
// padding, and on a GPU adds up its gradients in no fixed order: on the CPU, at lengths that 16
// does not divide, at head dimensions that are not the kernels' (spion/kernels/common/head_dim.h),
// and in float32 without padding, where that is the faster one.
#ifndef SPION_NN_EVERY_BLOCK_ATTENTION_H_
#define SPION_NN_EVERY_BLOCK_ATTENTION_H_

#include <optional>

#include "spion/nn/attention.h"
#include "spion/nn/fused_dense_attention.h"
#include "spion/ops/pattern_tensors.h"

namespace spion {

class EveryBlockAttention : public Attention {
 public:
  /// `layer` is its number in the model, for profiles.
  EveryBlockAttention(int64_t layer, int64_t length, c10::Device device)
      : layer_(layer), length_(length), device_(device) {}
  explicit EveryBlockAttention(const AttentionContext& context)
      : EveryBlockAttention(context.layer, context.length, context.device) {}

  at::Tensor Forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const Lengths& lengths) override;

 private:
  bool TakesEveryBlock(const at::Tensor& q, const Lengths& lengths) const;
  const PatternTensors& every_block();

  int64_t layer_;
  int64_t length_;
  c10::Device device_;
  FusedDenseAttention fused_;
  std::optional<PatternTensors> every_block_;  // made when first asked for
};

}  // namespace spion

#endif  // SPION_NN_EVERY_BLOCK_ATTENTION_H_
