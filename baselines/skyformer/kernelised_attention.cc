#include "baselines/skyformer/kernelised_attention.h"

#include <ATen/ops/matmul.h>

#include "baselines/skyformer/gaussian_kernel.h"
#include "baselines/without_autocast.h"

namespace spion {

at::Tensor KernelisedAttention::Forward(const at::Tensor& q, const at::Tensor& k,
                                        const at::Tensor& v, const Lengths& lengths) {
  const WithoutAutocast own_types;
  const KernelInputs in = MakeKernelInputs(q, k, v, lengths);
  return at::matmul(GaussianKernel(in.q, in.k), in.v).to(v.scalar_type());
}

}  // namespace spion
