#include "spion/nn/classifier.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/relu.h>

#include <string>
#include <utility>

#include "spion/nn/padding.h"

namespace spion {
namespace {

std::vector<EncoderLayer> MakeLayers(const Parameters::Scope& scope, const ModelConfig& config,
                                     const AttentionFactory& make_attention) {
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
                                        .parameters = layer / "attention"}));
  }
  return layers;
}

// With two sequences a, b the classifier sees [a, b, a * b, a - b].
int64_t FeatureWidth(const ModelConfig& config) {
  return config.sequences == 2 ? 4 * config.width : config.width;
}

}  // namespace

EncoderLayer::EncoderLayer(const Parameters::Scope& scope, const ModelConfig& config,
                           std::unique_ptr<Attention> attention)
    : config_(config),
      attention_(std::move(attention)),
      attention_norm_(scope / "attention_norm", config.width),
      query_key_value_(scope / "query_key_value", config.width, 3 * config.width),
      attention_output_(scope / "attention_output", config.width, config.width),
      mlp_norm_(scope / "mlp_norm", config.width),
      mlp_hidden_(scope / "mlp_hidden", config.width, config.feed_forward),
      mlp_output_(scope / "mlp_output", config.feed_forward, config.width) {}

at::Tensor EncoderLayer::Forward(const at::Tensor& x, const Lengths& lengths, bool training) const {
  const auto drop = [&](const at::Tensor& t) { return at::dropout(t, config_.dropout, training); };
  const int64_t batch = x.size(0);
  const int64_t length = x.size(1);
  const std::vector<at::Tensor> qkv = query_key_value_(attention_norm_.ForProducts(x))
                                          .view({batch, length, 3, config_.heads, -1})
                                          .permute({2, 0, 3, 1, 4})  // [3, B, H, L, d]
                                          .unbind(0);
  const at::Tensor heads = attention_->Forward(qkv[0], qkv[1], qkv[2], lengths);
  const at::Tensor joined = heads.transpose(1, 2).reshape({batch, length, config_.width});
  const at::Tensor attended = x + drop(attention_output_(joined));
  return attended + drop(mlp_output_(drop(at::gelu(mlp_hidden_(mlp_norm_.ForProducts(attended))))));
}

SequenceClassifier::SequenceClassifier(const ModelConfig& config, c10::Device device,
                                       const AttentionFactory& make_attention)
    : config_(config),
      parameters_(device),
      tokens_(parameters_.root() / "tokens", config.vocabulary, config.width),
      positions_(parameters_.root() / "positions", config.length, config.width),
      layers_(MakeLayers(parameters_.root(), config, make_attention)),
      final_norm_(parameters_.root() / "final_norm", config.width),
      hidden_(parameters_.root() / "classifier_hidden", FeatureWidth(config), config.feed_forward),
      classes_(parameters_.root() / "classifier_output", config.feed_forward, config.classes) {}

at::Tensor SequenceClassifier::Forward(const at::Tensor& ids, const Lengths& lengths,
                                       bool training) const {
  TORCH_CHECK(ids.dim() == 3 && ids.size(1) == config_.sequences && ids.size(2) == config_.length,
              "the model takes ids [batch, ", config_.sequences, ", ", config_.length, "]; got ",
              ids.sizes());
  const int64_t batch = ids.size(0);
  at::Tensor x = tokens_(ids.view({-1, config_.length})) + positions_.table();
  x = at::dropout(x, config_.dropout, training);
  for (const EncoderLayer& layer : layers_) x = layer.Forward(x, lengths, training);
  x = final_norm_(x);
  if (lengths.has_value()) {
    const at::Tensor valid = ValidPositions(*lengths, config_.length).unsqueeze(2);
    x = x * valid.to(x.scalar_type());
  }
  // The mean is over all L positions, padded ones (now zero) included, as in the reference.
  at::Tensor features = x.mean(1);  // [B * sequences, width]
  if (config_.sequences == 2) {
    const at::Tensor pairs = features.view({batch, 2, config_.width});
    const at::Tensor a = pairs.select(1, 0);
    const at::Tensor b = pairs.select(1, 1);
    features = at::cat({a, b, a * b, a - b}, 1);
  }
  return classes_(at::relu(hidden_(features)));
}

std::vector<Attention*> SequenceClassifier::attentions() const {
  std::vector<Attention*> attentions;
  attentions.reserve(layers_.size());
  for (const EncoderLayer& layer : layers_) attentions.push_back(&layer.attention());
  return attentions;
}

}  // namespace spion
