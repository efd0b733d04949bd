// Linformer's attention: softmax over `projected` mixtures of the keys instead of L keys.
//
//   softmax(Q (E K)^T / sqrt d) (F V)
//
// E and F are learned, [projected, L], one pair for all heads of a layer, with the initial values
// of a linear layer of L inputs. Padded keys and values count as zero in the mixtures. The softmax
// over the mixtures is LibTorch's fused attention, so no L x projected matrix is held.
// Source: Wang et al., "Linformer", arXiv 2006.04768.
#ifndef BASELINES_LINFORMER_LINFORMER_ATTENTION_H_
#define BASELINES_LINFORMER_LINFORMER_ATTENTION_H_

#include <cstdint>

#include "spion/nn/attention.h"

namespace spion {

struct LinformerOptions {
  int64_t projected = 256;
};

class LinformerAttention : public Attention {
 public:
  /// Registers "key_projection" and "value_projection".
  explicit LinformerAttention(const AttentionContext& context,
                              const LinformerOptions& options = {});

  at::Tensor Forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const Lengths& lengths) override;

 private:
  at::Tensor key_projection_;    // E
  at::Tensor value_projection_;  // F
};

}  // namespace spion

#endif  // BASELINES_LINFORMER_LINFORMER_ATTENTION_H_
