#include "spion/nn/layers.h"

#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "spion/ops/token_rows.h"

namespace spion {
namespace {

constexpr double kEmbeddingDeviation = 0.02;

at::Tensor Uniform(at::IntArrayRef sizes, double bound) {
  return at::empty(sizes).uniform_(-bound, bound);
}

}  // namespace

Linear::Linear(const Parameters::Scope& scope, int64_t in, int64_t out) {
  const double bound = 1.0 / std::sqrt(static_cast<double>(in));
  weight_ = scope.Add("weight", Uniform({out, in}, bound));
  bias_ = scope.Add("bias", Uniform({out}, bound));
}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  return spion::Linear(x, weight_, bias_);
}

LayerNorm::LayerNorm(const Parameters::Scope& scope, int64_t width)
    : weight_(scope.Add("weight", at::ones({width}))),
      bias_(scope.Add("bias", at::zeros({width}))) {}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
  return spion::LayerNorm(x, weight_, bias_, at::kFloat);
}

at::Tensor LayerNorm::ForProducts(const at::Tensor& x) const {
  return spion::LayerNorm(x, weight_, bias_, ProductType(x.device(), at::kFloat));
}

Embedding::Embedding(const Parameters::Scope& scope, int64_t entries, int64_t width)
    : table_(scope.Add("table", at::randn({entries, width}).mul_(kEmbeddingDeviation))) {}

at::Tensor Embedding::operator()(const at::Tensor& ids) const { return at::embedding(table_, ids); }

}  // namespace spion
