#include "baselines/skyformer/skyformer_attention.h"

#include "baselines/iterative_inverse/iterative_inverse.h"
#include "baselines/skyformer/gaussian_kernel.h"
#include "baselines/skyformer/landmarks.h"
#include "baselines/skyformer/nystrom.h"
#include "baselines/without_autocast.h"

namespace spion {

at::Tensor SkyformerAttention::Forward(const at::Tensor& q, const at::Tensor& k,
                                       const at::Tensor& v, const Lengths& lengths) {
  const WithoutAutocast own_types;
  const KernelInputs in = MakeKernelInputs(q, k, v, lengths);
  const at::Tensor positions =
      DrawLandmarks(q.size(0), q.size(2), options_.landmarks, lengths, q.device());
  const auto invert = [&](const at::Tensor& matrices) {
    return IterativeInverse(matrices, options_.inverse_steps);
  };
  return NystromAttention(in, TakeLandmarks(in.q, in.k, positions), options_.ridge, invert)
      .to(v.scalar_type());
}

}  // namespace spion
