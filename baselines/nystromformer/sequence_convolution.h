// A convolution along the sequence with one filter for each head, the same for all of its channels.
#ifndef BASELINES_NYSTROMFORMER_SEQUENCE_CONVOLUTION_H_
#define BASELINES_NYSTROMFORMER_SEQUENCE_CONVOLUTION_H_

#include <ATen/core/Tensor.h>

namespace spion {

/// out[b, h, i, :] = sum over t of filters[h, t] x[b, h, i + t - kernel / 2, :], zero beyond the
/// ends. x: [B, H, L, d]; filters: [H, kernel] of x's type, kernel odd. Returns [B, H, L, d]. A
/// matrix product of runs of the sequence with a banded matrix, which takes a ninth of the time of
/// LibTorch's depthwise conv2d on a CPU (L 1024, kernel 35, forward and backward). Differentiable;
/// deterministic.
at::Tensor SequenceConvolution(const at::Tensor& x, const at::Tensor& filters);

}  // namespace spion

#endif  // BASELINES_NYSTROMFORMER_SEQUENCE_CONVOLUTION_H_
