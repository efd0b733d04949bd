#include "spion/nn/layers.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "spion/profiling/range.h"

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

at::Tensor Linear::operator()(const at::Tensor& x) const { return LinearMap(x, weight_, bias_); }

Embedding::Embedding(const Parameters::Scope& scope, int64_t entries, int64_t width)
    : table_(scope.Add("table", at::randn({entries, width}).mul_(kEmbeddingDeviation))) {}

LayerNorm::LayerNorm(const Parameters::Scope& scope, int64_t width, NormUse use)
    : use_(use),
      weight_(scope.Add("weight", at::ones({width}))),
      bias_(scope.Add("bias", at::zeros({width}))) {}

at::ScalarType LayerNorm::Type() const {
  return use_ == NormUse::kProducts ? ProductType(weight_.device(), at::kFloat) : at::kFloat;
}

NormedSum LayerNorm::OfSum(const at::Tensor& x, const at::Tensor& branch, double dropout) const {
  const ProfileRange range(Region::kResidualStream);
  return AddNorm(x, branch, dropout, weight_, bias_, Type());
}

NormedSum LayerNorm::OfEmbedding(const at::Tensor& ids, const Embedding& tokens,
                                 const Embedding& positions, double dropout) const {
  const ProfileRange range(Region::kResidualStream);
  return EmbedNorm(ids, tokens.table(), positions.table(), dropout, weight_, bias_, Type());
}

at::Tensor LayerNorm::MeanOf(const at::Tensor& x, const std::optional<at::Tensor>& lengths) const {
  const ProfileRange range(Region::kResidualStream);
  return NormMean(x, weight_, bias_, lengths);
}

}  // namespace spion
