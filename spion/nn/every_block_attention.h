// Full softmax attention as block-sparse attention with every block: blocks of padding are left
// out, and gradients are added up in a fixed order, so that a seed gives the same run again. What
// SPION's dense phase computes, and the method every_block.
//
// It is LibTorch's fused attention instead (fused_dense_attention.h), which computes and masks
// padding, and on a GPU adds up its gradients in no fixed order, where WhyNotEveryBlock says so.
#ifndef SPION_NN_EVERY_BLOCK_ATTENTION_H_
#define SPION_NN_EVERY_BLOCK_ATTENTION_H_

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "spion/nn/attention.h"
#include "spion/nn/fused_dense_attention.h"
#include "spion/ops/pattern_tensors.h"

namespace spion {

/// Why full attention of such q, k and v is not block-sparse attention with every block, but
/// LibTorch's: on the CPU, at lengths that 16 does not divide, at head dimensions that are not the
/// kernels' (spion/kernels/common/head_dim.h), and in float32 without padding, where that is the
/// faster one. For the log: "16 does not divide the length"; empty where it is every block.
std::string_view WhyNotEveryBlock(c10::Device device, int64_t length, int64_t head_dim,
                                  bool has_padding, at::ScalarType type);

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
  const PatternTensors& every_block();

  int64_t layer_;
  int64_t length_;
  c10::Device device_;
  FusedDenseAttention fused_;
  std::optional<PatternTensors> every_block_;  // made when first asked for
};

}  // namespace spion

#endif  // SPION_NN_EVERY_BLOCK_ATTENTION_H_
