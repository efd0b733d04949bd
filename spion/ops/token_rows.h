// What the encoder does token by token, with autograd, on a CPU and a GPU. On a CPU these are
// LibTorch's functions, with its random numbers. On a GPU each is one pass over memory of
// spion/kernels/token_rows, deterministic, for float32 and bfloat16 and the widths below; for all
// else, and for empty tensors, LibTorch's functions again, which are several times slower.
//
// `dropout` is the probability of dropping a number: at least 0 and below 1, else c10::Error. 0
// draws nothing. On a GPU no mask is kept: the backward pass draws it again, from where LibTorch's
// generator stood in the forward pass, of which two numbers on the device are kept; so it does in a
// recorded CUDA graph, where each replay draws another. A mask is made of 15 random bits a number:
// the probability is met to 1 / 32768.
//
// Differentiable once: by these kernels a gradient has no gradient, and asking for it is a
// c10::Error. Operands of other sizes than said are one that names them; on a GPU so are those of
// another type or device.
#ifndef SPION_OPS_TOKEN_ROWS_H_
#define SPION_OPS_TOKEN_ROWS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

namespace spion {

/// Says that this process's tensors are slice number `index`, from 0, of several equal ones of a
/// larger batch along their first dimension: on a GPU dropout then draws this slice of the mask
/// that the whole batch would have, provided that the generators of all processes stand alike. For
/// all calls from here on; 0 at first. On a CPU it changes nothing.
void SetBatchSlice(int64_t index);

/// A sum [..., width], float32, and its layer normalisation.
struct NormedSum {
  at::Tensor sum;
  at::Tensor normed;
};

/// Normalises x [..., width] over its last dimension to mean 0 and variance 1 (eps 1e-5), times
/// weight [width], plus bias [width]. All float32; the result is rounded once, to `dtype`.
/// GPU kernels: widths 64, 128, 256, 512.
at::Tensor NormRows(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                    at::ScalarType dtype);

/// The mean over dimension 1 of x [sequences, length, width] in which tokens at and after
/// lengths[sequence], int32 [sequences], count as zeros, if there are lengths: [sequences, width].
at::Tensor MeanOverTokens(const at::Tensor& x, const std::optional<at::Tensor>& lengths);

/// MeanOverTokens of NormRows(x), in float32, without the normalised rows in memory.
at::Tensor NormMean(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                    const std::optional<at::Tensor>& lengths);

/// sum = x + dropout(branch), normalised as by NormRows. x: float32 [..., width]; branch: the
/// same, or bfloat16.
NormedSum AddNorm(const at::Tensor& x, const at::Tensor& branch, double dropout,
                  const at::Tensor& weight, const at::Tensor& bias, at::ScalarType dtype);

/// sum = dropout(tokens[ids] + positions), normalised as by NormRows. ids: int64 or int32
/// [..., length], each below the vocabulary; tokens: float32 [vocabulary, width]; positions:
/// float32 [length, width]. The gradient of a table of more than 1024 tokens is LibTorch's on a GPU
/// too.
NormedSum EmbedNorm(const at::Tensor& ids, const at::Tensor& tokens, const at::Tensor& positions,
                    double dropout, const at::Tensor& weight, const at::Tensor& bias,
                    at::ScalarType dtype);

/// The sum alone: GPU kernels for the same widths.
at::Tensor Embed(const at::Tensor& ids, const at::Tensor& tokens, const at::Tensor& positions,
                 double dropout);

/// dropout(gelu(x)), x times the normal distribution function. GPU kernels: multiples of 8 numbers;
/// they are as exact as LibTorch's by erf, to fp32's rounding.
at::Tensor GeluDropout(const at::Tensor& x, double dropout);

/// x [..., in] times weight^T [in, out], plus bias [out], multiplied in the type that autocast
/// says, else x's. Gradients of the float32 parameters are not rounded on the way.
at::Tensor LinearMap(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

/// The type of the products here: autocast's for the device, else `dtype`.
at::ScalarType ProductType(c10::Device device, at::ScalarType dtype);

}  // namespace spion

#endif  // SPION_OPS_TOKEN_ROWS_H_
