// The layers around the attention: functions of LibTorch and spion/ops with their parameters.
// Initial values are those of PyTorch's modules of the same names, but for the embedding's.
#ifndef SPION_NN_LAYERS_H_
#define SPION_NN_LAYERS_H_

#include <ATen/core/Tensor.h>

#include <optional>

#include "spion/nn/parameters.h"
#include "spion/ops/encoder_layer.h"
#include "spion/ops/token_rows.h"

namespace spion {

/// y = x W^T + c, x [..., in] -> [..., out]. W, c ~ U(-1/sqrt(in), 1/sqrt(in)).
class Linear {
 public:
  Linear(const Parameters::Scope& scope, int64_t in, int64_t out);
  at::Tensor operator()(const at::Tensor& x) const;
  WeightAndBias parameters() const { return {weight_, bias_}; }

 private:
  at::Tensor weight_;  // [out, in]
  at::Tensor bias_;    // [out]
};

/// Rows of a table, normal of mean 0 and deviation 0.02.
class Embedding {
 public:
  Embedding(const Parameters::Scope& scope, int64_t entries, int64_t width);
  const at::Tensor& table() const { return table_; }  // [entries, width]

 private:
  at::Tensor table_;
};

/// What normalised rows are for: products, to whose type they are rounded, or sums, in float32.
enum class NormUse { kProducts, kSums };

/// A sum of the residual stream, normalised: its last dimension to mean 0, variance 1 (eps 1e-5),
/// then scaled and shifted. `dropout` is a probability, 0 outside training.
class LayerNorm {
 public:
  LayerNorm(const Parameters::Scope& scope, int64_t width, NormUse use);
  /// Of x + dropout(branch): x, branch [..., width].
  NormedSum OfSum(const at::Tensor& x, const at::Tensor& branch, double dropout) const;
  /// Of dropout(tokens[ids] + positions): ids [..., length].
  NormedSum OfEmbedding(const at::Tensor& ids, const Embedding& tokens, const Embedding& positions,
                        double dropout) const;
  /// The mean over tokens, as by MeanOverTokens, of x [B, L, width] normalised.
  at::Tensor MeanOf(const at::Tensor& x, const std::optional<at::Tensor>& lengths) const;
  WeightAndBias parameters() const { return {weight_, bias_}; }

 private:
  at::ScalarType Type() const;

  NormUse use_;
  at::Tensor weight_;  // [width]
  at::Tensor bias_;    // [width]
};

}  // namespace spion

#endif  // SPION_NN_LAYERS_H_
