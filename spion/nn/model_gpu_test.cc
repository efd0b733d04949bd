// The model on a GPU, its layers in two passes, against the same in double by plain functions: by
// the rule of spion/ops/gpu, a result may be off by twice what LibTorch's own functions are under
// autocast, a gradient by three times that.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn_like.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "spion/nn/classifier.h"
#include "spion/nn/fused_dense_attention.h"
#include "spion/ops/classifier.h"
#include "spion/ops/encoder_layer.h"
#include "spion/testing/seed.h"

namespace spion {
namespace {

using at::Tensor;
using Weights = std::map<std::string, Tensor>;

const c10::Device kGpu(at::kCUDA, 0);
constexpr int64_t kBatch = 5;
constexpr int64_t kLength = 80;
constexpr ModelConfig kConfig{
    .vocabulary = 17, .classes = 4, .length = kLength, .layers = 2, .dropout = 0};

class Autocast {
 public:
  Autocast() {
    at::autocast::set_autocast_enabled(at::kCUDA, true);
    at::autocast::set_autocast_dtype(at::kCUDA, at::kBFloat16);
  }
  ~Autocast() {
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCUDA, false);
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;
};

struct Example {
  Tensor ids;
  Tensor labels;
  Tensor lengths;

  Example On(c10::Device device) const {
    return {ids.to(device), labels.to(device), lengths.to(device)};
  }
};

Tensor Linear(const Weights& w, const std::string& name, const Tensor& x) {
  return at::linear(x, w.at(name + ".weight"), w.at(name + ".bias"));
}
Tensor Norm(const Weights& w, const std::string& name, const Tensor& x) {
  return at::layer_norm(x, {kConfig.width}, w.at(name + ".weight"), w.at(name + ".bias"), 1e-5);
}

Tensor PlainLogits(const Weights& w, const Example& example) {
  const Tensor valid = at::arange(kLength, example.lengths.options())
                           .unsqueeze(0)
                           .lt(example.lengths.unsqueeze(1));  // [B, L]
  Tensor x =
      at::embedding(w.at("tokens.table"), example.ids.select(1, 0)) + w.at("positions.table");
  for (int64_t i = 0; i < kConfig.layers; ++i) {
    const std::string layer = "layer" + std::to_string(i);
    const auto qkv = Linear(w, layer + ".query_key_value", Norm(w, layer + ".attention_norm", x))
                         .view({kBatch, kLength, 3, kConfig.heads, -1})
                         .permute({2, 0, 3, 1, 4});
    const Tensor heads = at::scaled_dot_product_attention(qkv[0], qkv[1], qkv[2],
                                                          valid.view({kBatch, 1, 1, kLength}));
    x = x + Linear(w, layer + ".attention_output",
                   heads.transpose(1, 2).reshape({kBatch, kLength, kConfig.width}));
    x = x + Linear(w, layer + ".mlp_output",
                   at::gelu(Linear(w, layer + ".mlp_hidden", Norm(w, layer + ".mlp_norm", x))));
  }
  const Tensor rows = Norm(w, "final_norm", x);
  const Tensor features = (rows * valid.unsqueeze(2).to(rows.scalar_type())).sum(1) / kLength;
  return Linear(w, "classifier_output", at::relu(Linear(w, "classifier_hidden", features)));
}

// Loss, logits and gradients, in double on the CPU.
Weights Collect(const Tensor& loss, const Tensor& logits, const Weights& leaves) {
  loss.backward();
  Weights results = {{"loss", loss}, {"logits", logits}};
  for (const auto& [name, leaf] : leaves) results[name] = leaf.grad();
  for (auto& [name, result] : results) result = result.detach().cpu().to(at::kDouble);
  return results;
}

Weights RunPlain(const Weights& weights, const Example& example, const at::TensorOptions& options) {
  Weights leaves;
  for (const auto& [name, weight] : weights) {
    leaves[name] = weight.detach().to(options).clone().requires_grad_();
  }
  const Tensor logits = PlainLogits(leaves, example);
  return Collect(at::cross_entropy_loss(logits, example.labels), logits, leaves);
}

TEST(ModelGpuTest, IsAsExactAsTheFrameworkWithItsGradients) {
  at::manual_seed(TestSeed(1));
  const SequenceClassifier model(kConfig, kGpu, [](const AttentionContext&) {
    return std::make_unique<FusedDenseAttention>();
  });
  Weights weights;
  for (const NamedTensor& item : model.parameters().items()) {
    const c10::NoGradGuard no_grad;
    // Away from what they begin with, so that no bias is zero.
    item.value.add_(at::randn_like(item.value), 0.1);
    weights[item.name] = item.value;
  }
  const Example example = {at::randint(kConfig.vocabulary, {kBatch, 1, kLength}, at::kInt),
                           at::randint(kConfig.classes, {kBatch}, at::kLong),
                           at::tensor({80, 1, 17, 64, 79}, at::kInt)};
  const Weights truth = RunPlain(weights, example, at::TensorOptions(at::kDouble).device(at::kCPU));

  const Autocast autocast;
  ASSERT_TRUE(TakesEncoderLayer(kGpu, kBatch * kLength, kConfig.width, kConfig.feed_forward));
  const Example there = example.On(kGpu);
  const Weights framework = RunPlain(weights, there, at::TensorOptions(kGpu));
  const Tensor logits = model.Forward(there.ids, there.lengths, /*training=*/true);
  const Weights results = Collect(JudgeLogits(logits, there.labels).loss, logits, weights);
  for (const auto& [name, expected] : truth) {
    const auto error = [&](const Tensor& result) {
      return ((result - expected).norm() / expected.norm()).item<double>();
    };
    const bool is_gradient = weights.contains(name);
    EXPECT_LE(error(results.at(name)), (is_gradient ? 3 : 2) * error(framework.at(name)) + 1e-4)
        << name;
  }
}

}  // namespace
}  // namespace spion
