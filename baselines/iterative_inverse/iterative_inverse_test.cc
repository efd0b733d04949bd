#include "baselines/iterative_inverse/iterative_inverse.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <gtest/gtest.h>

#include "baselines/testing/attention_check.h"

namespace spion {
namespace {

constexpr int64_t kSize = 24;

// Non-negative, symmetric, eigenvalues in [least, 1] or a little above.
at::Tensor PositiveDefinite(double least) {
  const at::Tensor x = RandomHeads(2, 3, kSize, 4, 1).q.abs();
  const at::Tensor gram = at::matmul(x, x.transpose(2, 3));  // [2, 3, m, m], rank 4
  const at::Tensor rows = gram.sum(3, /*keepdim=*/true).rsqrt();
  const at::Tensor normalised = gram * rows * rows.transpose(2, 3);
  return normalised * (1 - least) + at::eye(kSize, at::kDouble) * least;
}

double DistanceToInverse(const at::Tensor& a, const at::Tensor& inverse) {
  return MaxDifference(at::matmul(a, inverse), at::eye(kSize, at::kDouble).expand_as(a));
}

TEST(IterativeInverseTest, ConvergesOnPositiveDefiniteMatrices) {
  const at::Tensor a = PositiveDefinite(0.05);
  double before = 1e9;
  for (const int64_t steps : {1, 2, 4, 6, 9}) {
    const double distance = DistanceToInverse(a, IterativeInverse(a, steps));
    EXPECT_LT(distance, before) << steps;
    before = distance;
  }
  EXPECT_LE(before, 1e-6);
}

TEST(IterativeInverseTest, OneStepIsTheFormula) {
  const at::Tensor a = PositiveDefinite(0.3);
  const at::Tensor one = a.select(0, 1).select(0, 2);  // [m, m]
  const at::Tensor identity = at::eye(kSize, at::kDouble);
  const at::Tensor v = one.t() / one.sum(0).max();
  const at::Tensor av = one.mm(v);
  const at::Tensor expected =
      v.mm(13 * identity - av.mm(15 * identity - av.mm(7 * identity - av))) / 4;
  EXPECT_LE(MaxDifference(IterativeInverse(a, 1).select(0, 1).select(0, 2), expected), 1e-12);
}

TEST(IterativeInverseTest, InvertsSoftmaxMatrices) {
  const at::Tensor a = at::softmax(at::eye(kSize, at::kDouble) * 6, 1).view({1, 1, kSize, kSize});
  EXPECT_LE(DistanceToInverse(a, IterativeInverse(a, 8)), 1e-10);
}

TEST(IterativeInverseTest, GradientsAreThoseOfFiniteDifferences) {
  const auto inverse = [](const at::Tensor& x, const at::Tensor&, const at::Tensor&) {
    return IterativeInverse(at::softmax(x, 3), 6);
  };
  EXPECT_LE(GradientError(inverse, RandomHeads(1, 2, 8, 8, 2)), 1e-6);
}

}  // namespace
}  // namespace spion
