// The layers around the attention: functions of LibTorch and spion/ops with their parameters.
// Initial values are those of PyTorch's modules of the same names.
#ifndef SPION_NN_LAYERS_H_
#define SPION_NN_LAYERS_H_

#include <ATen/core/Tensor.h>

#include "spion/nn/parameters.h"

namespace spion {

/// y = x W^T + c, x [..., in] -> [..., out]. W, c ~ U(-1/sqrt(in), 1/sqrt(in)).
class Linear {
 public:
  Linear(const Parameters::Scope& scope, int64_t in, int64_t out);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  at::Tensor weight_;  // [out, in]
  at::Tensor bias_;    // [out]
};

/// Normalises the last dimension to mean 0, variance 1 (eps 1e-5), then scales and shifts.
class LayerNorm {
 public:
  LayerNorm(const Parameters::Scope& scope, int64_t width);
  /// Float32.
  at::Tensor operator()(const at::Tensor& x) const;
  /// Rounded to the type of the products that take it.
  at::Tensor ForProducts(const at::Tensor& x) const;

 private:
  at::Tensor weight_;  // [width]
  at::Tensor bias_;    // [width]
};

/// Rows of a table, N(0, 0.02): ids [...] -> [..., width].
class Embedding {
 public:
  Embedding(const Parameters::Scope& scope, int64_t entries, int64_t width);
  at::Tensor operator()(const at::Tensor& ids) const;
  const at::Tensor& table() const { return table_; }  // [entries, width]

 private:
  at::Tensor table_;
};

}  // namespace spion

#endif  // SPION_NN_LAYERS_H_
