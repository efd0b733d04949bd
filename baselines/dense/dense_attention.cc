#include "baselines/dense/dense_attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>

#include <cmath>
#include <limits>

#include "baselines/without_autocast.h"
#include "spion/nn/padding.h"
#include "spion/ops/materialised_attention.h"

namespace spion {
namespace {

// Finite, and far below every score in any of the element types: a row that is padding alone gives
// equal probabilities, not NaN.
constexpr double kPaddedScore = -1e30;

}  // namespace

at::Tensor DenseAttention::Forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                   const Lengths& lengths) {
  const WithoutAutocast own_types;
  if (CanMaterialise(q)) return MaterialisedAttention(q, k, v, lengths);
  const int64_t length = k.size(2);
  const double scale = 1 / std::sqrt(static_cast<double>(q.size(3)));
  at::Tensor scores = at::matmul(q * scale, k.transpose(2, 3));  // [B, H, L, L]
  if (lengths.has_value()) {
    const at::Tensor valid = ValidPositions(*lengths, length).view({-1, 1, 1, length});
    scores.masked_fill_(valid.logical_not(), kPaddedScore);
  }
  const at::ScalarType type = c10::promoteTypes(at::kFloat, scores.scalar_type());
  const at::Tensor probabilities = at::softmax(scores, 3, type);
  return at::matmul(probabilities.to(v.scalar_type()), v);
}

}  // namespace spion
