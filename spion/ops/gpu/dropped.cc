#include "spion/ops/gpu/dropped.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include <cmath>

#include "spion/ops/gpu/gpu.h"

namespace spion {

Leaf MakeBranch(at::IntArrayRef sizes, at::ScalarType dtype) {
  const at::Tensor value = at::rand(sizes).add_(1).to(dtype);
  return {value.to(Gpu()).requires_grad_(), value.to(at::kDouble).requires_grad_()};
}

at::Tensor FactorsOf(const at::Tensor& dropped) {
  return dropped.detach().cpu().ne(0).to(at::kDouble).div_(1 - kDropout);
}

void ExpectKeepRate(const at::Tensor& factors) {
  const double kept = factors.ne(0).to(at::kDouble).mean().item<double>();
  const double deviation =
      std::sqrt(kDropout * (1 - kDropout) / static_cast<double>(factors.numel()));
  EXPECT_NEAR(kept, 1 - kDropout, 5 * deviation + 0x1p-16);
}

}  // namespace spion
