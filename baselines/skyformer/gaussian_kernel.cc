#include "baselines/skyformer/gaussian_kernel.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones_like.h>

#include <cmath>

#include "spion/nn/padding.h"

namespace spion {
namespace {

at::Tensor HalfSquaredNorms(const at::Tensor& x) {
  return x.square().sum(-1, /*keepdim=*/true) / -2;
}

}  // namespace

// x . y - |x|^2 / 2 - |y|^2 / 2 as one product of x and y with two columns more: nothing of size
// n x m is written but the result.
at::Tensor GaussianKernel(const at::Tensor& x, const at::Tensor& y) {
  const at::Tensor x_norms = HalfSquaredNorms(x);
  const at::Tensor y_norms = HalfSquaredNorms(y);
  const at::Tensor wide_x = at::cat({x, x_norms, at::ones_like(x_norms)}, -1);
  const at::Tensor wide_y = at::cat({y, at::ones_like(y_norms), y_norms}, -1);
  return at::matmul(wide_x, wide_y.transpose(-2, -1)).exp_();
}

KernelInputs MakeKernelInputs(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                              const Lengths& lengths) {
  const at::ScalarType type = c10::promoteTypes(at::kFloat, q.scalar_type());
  const double scale = std::pow(static_cast<double>(q.size(3)), -0.25);
  KernelInputs inputs{.q = q.to(type) * scale, .k = k.to(type) * scale, .v = v.to(type)};
  if (lengths.has_value()) {
    const int64_t length = v.size(2);
    const at::Tensor valid = ValidPositions(*lengths, length).view({-1, 1, length, 1});
    inputs.v = inputs.v.masked_fill(valid.logical_not(), 0);
  }
  return inputs;
}

}  // namespace spion
