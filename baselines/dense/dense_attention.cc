#include "baselines/dense/dense_attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>

#include <cmath>
#include <limits>

#include "baselines/without_autocast.h"
#include "spion/nn/padding.h"
#include "spion/ops/materialised_attention.h"
#include "spion/profiling/range.h"

namespace spion {
namespace {

// Finite, and far below every score in any of the element types: a row that is padding alone gives
// equal probabilities, not NaN.
constexpr double kPaddedScore = -1e30;

// [B, H, L, L]
at::Tensor Scores(const at::Tensor& q, const at::Tensor& k, const Lengths& lengths) {
  const ProfileRange range(Region::kScores);
  const double scale = 1 / std::sqrt(static_cast<double>(q.size(3)));
  at::Tensor scores = at::matmul(q * scale, k.transpose(2, 3));
  if (lengths.has_value()) {
    const int64_t length = k.size(2);
    const at::Tensor valid = ValidPositions(*lengths, length).view({-1, 1, 1, length});
    scores.masked_fill_(valid.logical_not(), kPaddedScore);
  }
  return scores;
}

// In `type`, by way of float32 at least.
at::Tensor Probabilities(const at::Tensor& scores, at::ScalarType type) {
  const ProfileRange range(Region::kSoftmax);
  return at::softmax(scores, 3, c10::promoteTypes(at::kFloat, scores.scalar_type())).to(type);
}

}  // namespace

at::Tensor DenseAttention::Forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                   const Lengths& lengths) {
  const WithoutAutocast own_types;
  if (CanMaterialise(q)) return MaterialisedAttention(q, k, v, lengths);
  const at::Tensor scores = Scores(q, k, lengths);
  const at::Tensor probabilities = Probabilities(scores, v.scalar_type());
  const ProfileRange range(Region::kWeightedSum);
  return at::matmul(probabilities, v);
}

}  // namespace spion
