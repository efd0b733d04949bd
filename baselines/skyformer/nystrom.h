// Nystrom's approximation of kernelised attention through landmarks s:
//
//   K(q, k) v  ~  K(q, s) (K(s, s) + ridge I)^-1 K(s, k) v
//
// The inverted matrix is scaled to D^(-1/2) (K(s, s) + ridge I) D^(-1/2), D its row sums, for which
// an iteration converges; the scaling is undone afterwards. Nothing is larger than L x landmarks.
#ifndef BASELINES_SKYFORMER_NYSTROM_H_
#define BASELINES_SKYFORMER_NYSTROM_H_

#include <ATen/core/Tensor.h>

#include "absl/functional/function_ref.h"
#include "baselines/skyformer/gaussian_kernel.h"

namespace spion {

/// landmarks: [B, H, m, d], scaled as `in` is. `invert` takes and gives [B, H, m, m].
/// Returns [B, H, L, d] in `in`'s type. Differentiable if `invert` is.
at::Tensor NystromAttention(const KernelInputs& in, const at::Tensor& landmarks, double ridge,
                            absl::FunctionRef<at::Tensor(const at::Tensor&)> invert);

}  // namespace spion

#endif  // BASELINES_SKYFORMER_NYSTROM_H_
