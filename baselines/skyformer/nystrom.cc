#include "baselines/skyformer/nystrom.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/matmul.h>

namespace spion {

at::Tensor NystromAttention(const KernelInputs& in, const at::Tensor& landmarks, double ridge,
                            absl::FunctionRef<at::Tensor(const at::Tensor&)> invert) {
  const at::Tensor identity = at::eye(landmarks.size(2), landmarks.options().requires_grad(false));
  const at::Tensor between = GaussianKernel(landmarks, landmarks) + identity * ridge;
  const at::Tensor root = between.sum(3, /*keepdim=*/true).rsqrt();  // D^(-1/2)
  const at::Tensor scaling = root * root.transpose(2, 3);
  const at::Tensor inverse = invert(between * scaling) * scaling;
  const at::Tensor seen = at::matmul(GaussianKernel(landmarks, in.k), in.v);  // [B, H, m, d]
  return at::matmul(GaussianKernel(in.q, landmarks), at::matmul(inverse, seen));
}

}  // namespace spion
