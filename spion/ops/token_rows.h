// What the encoder does token by token, with autograd, on a CPU and a GPU: LibTorch's functions,
// but for what its GPU kernels are slow at with rows as short as a token's features.
#ifndef SPION_OPS_TOKEN_ROWS_H_
#define SPION_OPS_TOKEN_ROWS_H_

#include <ATen/core/Tensor.h>

namespace spion {

/// Normalises x [..., width] over its last dimension to mean 0 and variance 1 (eps 1e-5), times
/// weight [width], plus bias [width]. All float32; the result is rounded once, to `dtype`.
/// On a GPU: float32 or bfloat16, widths 64, 128, 256, 512, deterministic; throws c10::Error for
/// others, naming what is taken.
at::Tensor LayerNorm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                     at::ScalarType dtype);

/// x [..., in] times weight^T [in, out], plus bias [out], multiplied in the type that autocast
/// says, else x's. Gradients of the float32 parameters are not rounded on the way.
at::Tensor Linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

/// The type of the products here: autocast's for the device, else `dtype`.
at::ScalarType ProductType(c10::Device device, at::ScalarType dtype);

}  // namespace spion

#endif  // SPION_OPS_TOKEN_ROWS_H_
