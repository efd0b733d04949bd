#include "spion/nn/classifier.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>

#include <array>
#include <string>
#include <utility>

#include "spion/ops/classifier.h"
#include "spion/ops/encoder_layer.h"
#include "spion/ops/split_heads.h"
#include "spion/ops/token_rows.h"
#include "spion/profiling/range.h"

namespace spion {
namespace {

std::vector<EncoderLayer> MakeLayers(const Parameters::Scope& scope, const ModelConfig& config,
                                     c10::Device device, const AttentionFactory& make_attention) {
  TORCH_CHECK(config.width % config.heads == 0, "a width of ", config.width,
              " does not split into ", config.heads, " heads");
  std::vector<EncoderLayer> layers;
  layers.reserve(config.layers);
  for (int64_t i = 0; i < config.layers; ++i) {
    const Parameters::Scope layer = scope / ("layer" + std::to_string(i));
    layers.emplace_back(layer, config,
                        make_attention({.layer = i,
                                        .length = config.length,
                                        .heads = config.heads,
                                        .head_dim = config.width / config.heads,
                                        .device = device,
                                        .parameters = layer / "attention"}));
  }
  return layers;
}

// With two sequences a, b the classifier sees [a, b, a * b, a - b].
int64_t FeatureWidth(const ModelConfig& config) {
  return config.sequences == 2 ? 4 * config.width : config.width;
}

double DropoutOf(const ModelConfig& config, bool training) { return training ? config.dropout : 0; }

}  // namespace

EncoderLayer::EncoderLayer(const Parameters::Scope& scope, const ModelConfig& config,
                           std::unique_ptr<Attention> attention)
    : config_(config),
      attention_(std::move(attention)),
      attention_norm_(scope / "attention_norm", config.width, NormUse::kProducts),
      query_key_value_(scope / "query_key_value", config.width, 3 * config.width),
      attention_output_(scope / "attention_output", config.width, config.width),
      mlp_norm_(scope / "mlp_norm", config.width, NormUse::kProducts),
      mlp_hidden_(scope / "mlp_hidden", config.width, config.feed_forward),
      mlp_output_(scope / "mlp_output", config.feed_forward, config.width) {}

at::Tensor EncoderLayer::Attend(const at::Tensor& qkv, const Lengths& lengths) const {
  const std::array<at::Tensor, 3> parts =
      InRange(Region::kProjections, [&] { return SplitHeads(qkv, config_.heads); });
  const at::Tensor heads = InRange(Region::kAttention, [&] {
    return attention_->Forward(parts[0], parts[1], parts[2], lengths);
  });
  // Of another shape with as many numbers it would be joined to tokens that are none.
  TORCH_CHECK(heads.sizes() == parts[0].sizes(), "the attention returned ", heads.sizes(),
              "; expected ", parts[0].sizes(),
              ", [batch, heads, length, head dimension], as q has");
  return heads.transpose(1, 2).reshape({qkv.size(0), qkv.size(1), config_.width});
}

NormedSum EncoderLayer::Forward(const NormedSum& x, const LayerNorm& next, const Lengths& lengths,
                                bool training) const {
  if (TakesEncoderLayer(x.sum, config_.feed_forward)) {
    return {ForwardInTwoPasses(x.sum, lengths, training), at::Tensor()};
  }
  const double dropout = DropoutOf(config_, training);
  const at::Tensor joined =
      Attend(InRange(Region::kProjections, [&] { return query_key_value_(x.normed); }), lengths);
  const NormedSum attended = mlp_norm_.OfSum(
      x.sum, InRange(Region::kProjections, [&] { return attention_output_(joined); }), dropout);
  const at::Tensor hidden =
      InRange(Region::kMlp, [&] { return GeluDropout(mlp_hidden_(attended.normed), dropout); });
  return next.OfSum(attended.sum, InRange(Region::kMlp, [&] { return mlp_output_(hidden); }),
                    dropout);
}

at::Tensor EncoderLayer::ForwardInTwoPasses(const at::Tensor& x, const Lengths& lengths,
                                            bool training) const {
  PreAttentionResult before = InRange(Region::kProjections, [&] {
    return PreAttention(x, attention_norm_.parameters(), query_key_value_.parameters());
  });
  const at::Tensor joined = Attend(before.qkv, lengths).to(before.qkv.scalar_type());
  before.qkv.reset();  // without a backward pass nobody needs it any more
  const ProfileRange range(Region::kMlp);
  return PostAttention(before.x, joined,
                       {.output = attention_output_.parameters(),
                        .norm = mlp_norm_.parameters(),
                        .hidden = mlp_hidden_.parameters(),
                        .mlp = mlp_output_.parameters()},
                       DropoutOf(config_, training));
}

SequenceClassifier::SequenceClassifier(const ModelConfig& config, c10::Device device,
                                       const AttentionFactory& make_attention)
    : config_(config),
      parameters_(device),
      tokens_(parameters_.root() / "tokens", config.vocabulary, config.width),
      positions_(parameters_.root() / "positions", config.length, config.width),
      layers_(MakeLayers(parameters_.root(), config, device, make_attention)),
      final_norm_(parameters_.root() / "final_norm", config.width, NormUse::kSums),
      hidden_(parameters_.root() / "classifier_hidden", FeatureWidth(config), config.feed_forward),
      classes_(parameters_.root() / "classifier_output", config.feed_forward, config.classes) {}

const LayerNorm& SequenceClassifier::NormBefore(size_t i) const {
  return i < layers_.size() ? layers_[i].attention_norm() : final_norm_;
}

// [B, L] ids -> the mean over all L positions, [B, width]: padded ones are zeros in it, and count,
// as in the reference.
at::Tensor SequenceClassifier::Encode(const at::Tensor& ids, const Lengths& lengths,
                                      bool training) const {
  const double dropout = DropoutOf(config_, training);
  // Layers of two passes normalise their input themselves.
  const bool normalised =
      !TakesEncoderLayer(ids.device(), ids.numel(), config_.width, config_.feed_forward);
  NormedSum x =
      normalised
          ? NormBefore(0).OfEmbedding(ids, tokens_, positions_, dropout)
          : NormedSum{
                InRange(Region::kResidualStream,
                        [&] { return Embed(ids, tokens_.table(), positions_.table(), dropout); }),
                at::Tensor()};
  for (size_t i = 0; i < layers_.size(); ++i) {
    x = layers_[i].Forward(x, NormBefore(i + 1), lengths, training);
  }
  return x.normed.defined() ? MeanOverTokens(x.normed, lengths)
                            : final_norm_.MeanOf(x.sum, lengths);
}

at::Tensor SequenceClassifier::Forward(const at::Tensor& ids, const Lengths& lengths,
                                       bool training) const {
  TORCH_CHECK(ids.dim() == 3 && ids.size(1) == config_.sequences && ids.size(2) == config_.length,
              "the model takes ids [batch, ", config_.sequences, ", ", config_.length, "]; got ",
              ids.sizes());
  const int64_t batch = ids.size(0);
  at::Tensor features =
      Encode(ids.view({batch * config_.sequences, config_.length}), lengths, training);
  if (config_.sequences == 2) {
    const at::Tensor pairs = features.view({batch, 2, config_.width});
    const at::Tensor a = pairs.select(1, 0);
    const at::Tensor b = pairs.select(1, 1);
    features = at::cat({a, b, a * b, a - b}, 1);
  }
  return InRange(Region::kClassifier,
                 [&] { return Classify(features, hidden_.parameters(), classes_.parameters()); });
}

std::vector<Attention*> SequenceClassifier::attentions() const {
  std::vector<Attention*> attentions;
  attentions.reserve(layers_.size());
  for (const EncoderLayer& layer : layers_) attentions.push_back(&layer.attention());
  return attentions;
}

}  // namespace spion
