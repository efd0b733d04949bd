// The model of every experiment: a pre-norm Transformer encoder over token ids, mean pooling, and a
// two-layer classifier. Only the attention differs from method to method.
//
//   SequenceClassifier model(config, device, factory);
//   at::Tensor logits = model.Forward(ids, lengths, /*training=*/true);   // [B, classes]
//
// Source: SPION, arXiv 2309.12578, and its reference implementation.
#ifndef SPION_NN_CLASSIFIER_H_
#define SPION_NN_CLASSIFIER_H_

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "spion/nn/attention.h"
#include "spion/nn/layers.h"
#include "spion/nn/parameters.h"

namespace spion {

struct ModelConfig {
  int64_t vocabulary = 0;
  int64_t classes = 0;
  int64_t length = 0;     // L
  int64_t sequences = 1;  // 2: both are encoded by the same encoder and compared (retrieval)
  int64_t layers = 0;
  int64_t width = 64;
  int64_t feed_forward = 128;
  int64_t heads = 2;
  double dropout = 0;  // in training
};

/// One pre-norm layer: x += drop(MHA(LN(x))); x += MLP(LN(x)). A sum and the normalisation that
/// follows it are one pass over memory, so a layer is given its input with that normalisation, and
/// its output's.
class EncoderLayer {
 public:
  EncoderLayer(const Parameters::Scope& scope, const ModelConfig& config,
               std::unique_ptr<Attention> attention);

  /// What its input has been normalised by.
  const LayerNorm& attention_norm() const { return attention_norm_; }
  /// x: [B, L, width] -> the same, normalised by `next`, or not normalised (undefined) where the
  /// passes of encoder_layer.h take both.
  NormedSum Forward(const NormedSum& x, const LayerNorm& next, const Lengths& lengths,
                    bool training) const;
  Attention& attention() const { return *attention_; }

 private:
  /// The attention's heads side by side, [B, L, width], from its projections.
  at::Tensor Attend(const at::Tensor& qkv, const Lengths& lengths) const;
  at::Tensor ForwardInTwoPasses(const at::Tensor& x, const Lengths& lengths, bool training) const;

  ModelConfig config_;
  std::unique_ptr<Attention> attention_;
  LayerNorm attention_norm_;
  Linear query_key_value_;
  Linear attention_output_;
  LayerNorm mlp_norm_;
  Linear mlp_hidden_;
  Linear mlp_output_;
};

class SequenceClassifier {
 public:
  /// Throws c10::Error if the width is not a multiple of the heads.
  SequenceClassifier(const ModelConfig& config, c10::Device device,
                     const AttentionFactory& make_attention);

  /// ids: int64 or int32 [B, sequences, L]; lengths: int32 [B * sequences] or nothing.
  /// Returns logits [B, classes].
  at::Tensor Forward(const at::Tensor& ids, const Lengths& lengths, bool training) const;

  const ModelConfig& config() const { return config_; }
  const Parameters& parameters() const { return parameters_; }
  /// One attention a layer, first layer first.
  std::vector<Attention*> attentions() const;

 private:
  /// What the residual stream is normalised by before layer i, and after the last.
  const LayerNorm& NormBefore(size_t i) const;
  at::Tensor Encode(const at::Tensor& ids, const Lengths& lengths, bool training) const;

  ModelConfig config_;
  Parameters parameters_;
  Embedding tokens_;
  Embedding positions_;
  std::vector<EncoderLayer> layers_;
  LayerNorm final_norm_;
  Linear hidden_;
  Linear classes_;
};

}  // namespace spion

#endif  // SPION_NN_CLASSIFIER_H_
