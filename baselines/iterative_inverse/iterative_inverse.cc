#include "baselines/iterative_inverse/iterative_inverse.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/eye.h>

namespace spion {

at::Tensor IterativeInverse(const at::Tensor& matrices, int64_t steps) {
  const int64_t m = matrices.size(-1);
  const at::Tensor a = matrices.reshape({-1, m, m});
  const at::Tensor identity = at::eye(m, a.options().requires_grad(false)).unsqueeze(0);
  // factor * I - x y
  const auto subtract = [&](double factor, const at::Tensor& x, const at::Tensor& y) {
    return at::baddbmm(identity * factor, x, y, /*beta=*/1, /*alpha=*/-1);
  };
  const at::Tensor column_sums = a.sum(1, /*keepdim=*/true);
  at::Tensor v = a.transpose(1, 2) / column_sums.amax(2, /*keepdim=*/true);
  for (int64_t step = 0; step < steps; ++step) {
    const at::Tensor av = at::bmm(a, v);
    const at::Tensor inner = subtract(15, av, identity * 7 - av);
    v = at::bmm(v, subtract(13, av, inner)) / 4;
  }
  return v.view(matrices.sizes());
}

}  // namespace spion
