// The Gaussian kernel that kernelised attention and Skyformer put in softmax's place.
#ifndef BASELINES_SKYFORMER_GAUSSIAN_KERNEL_H_
#define BASELINES_SKYFORMER_GAUSSIAN_KERNEL_H_

#include <ATen/core/Tensor.h>

#include "spion/nn/attention.h"

namespace spion {

/// exp(-|x_i - y_j|^2 / 2): x [..., n, d], y [..., m, d] -> [..., n, m]. In float32 at least: the
/// exponent is a difference of large numbers. Differentiable.
at::Tensor GaussianKernel(const at::Tensor& x, const at::Tensor& y);

/// What GaussianKernel takes: q, k and v in float32 (double stays), q and k divided by d^(1/4), so
/// that the kernel is exp(-|q - k|^2 / (2 sqrt d)), and padded values zero, so that they add
/// nothing to a sum that nothing normalises.
struct KernelInputs {
  at::Tensor q, k, v;
};
KernelInputs MakeKernelInputs(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                              const Lengths& lengths);

}  // namespace spion

#endif  // BASELINES_SKYFORMER_GAUSSIAN_KERNEL_H_
