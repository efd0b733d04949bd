#include "spion/ops/gpu/leaf.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>

#include "spion/ops/gpu/gpu.h"

namespace spion {

Leaf MakeLeaf(at::IntArrayRef sizes, double mean, at::ScalarType dtype) {
  const at::Tensor value = at::randn(sizes).add_(mean).to(dtype);
  return {value.to(Gpu()).requires_grad_(), value.to(at::kDouble).requires_grad_()};
}

double RelativeError(const at::Tensor& result, const at::Tensor& expected) {
  const at::Tensor difference = result.detach().cpu().to(at::kDouble) - expected.detach();
  return (difference.norm() / expected.detach().norm()).item<double>();
}

}  // namespace spion
