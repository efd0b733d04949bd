// The GPU's side of token_rows.h, as operators, so that a program for the CPU links no CUDA
// library. Private to spion/ops.
#ifndef SPION_OPS_TOKEN_ROWS_OPERATORS_H_
#define SPION_OPS_TOKEN_ROWS_OPERATORS_H_

#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

namespace spion::token_rows {

constexpr double kEpsilon = 1e-5;  // of every normalisation

/// Whether the kernels have the type.
inline bool TakesType(at::ScalarType dtype) {
  return dtype == at::kFloat || dtype == at::kBFloat16;
}

/// A dropout that has drawn: the backward pass is given the one of the forward pass.
struct Dropout {
  double probability;
  // As spion::draw_random gives it, and the batch's slice; empty for a probability of 0.
  std::vector<int64_t> random;
};

/// Throws c10::Error unless the probability is at least 0 and below 1.
void CheckDropout(const char* name, double probability);

/// Draws from the generator of x's device, a GPU.
Dropout Draw(double probability, const at::Tensor& x);

void Save(torch::autograd::AutogradContext* context, const Dropout& dropout);
Dropout SavedDropout(torch::autograd::AutogradContext* context);

/// Normalised rows, with what their gradient needs.
struct Norm {
  at::Tensor normed;
  at::Tensor mean;  // of each row
  at::Tensor inverse_deviation;
};

Norm CallLayerNorm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                   at::ScalarType dtype);
/// The sum first.
std::tuple<at::Tensor, Norm> CallAddNorm(const at::Tensor& x, const at::Tensor& branch,
                                         const Dropout& dropout, const at::Tensor& weight,
                                         const at::Tensor& bias, at::ScalarType dtype);
std::tuple<at::Tensor, Norm> CallEmbedNorm(const at::Tensor& ids, const at::Tensor& tokens,
                                           const at::Tensor& positions, const Dropout& dropout,
                                           const at::Tensor& weight, const at::Tensor& bias,
                                           at::ScalarType dtype);

struct AddNormGradients {
  at::Tensor x;       // undefined unless asked for
  at::Tensor branch;  // likewise
  at::Tensor weight;
  at::Tensor bias;
};

/// grad_sum may be undefined: zero. `branch`: the type of the branch if its gradient is asked for.
AddNormGradients CallAddNormBackward(const at::Tensor& grad_sum, const at::Tensor& grad_normed,
                                     const at::Tensor& sum, const at::Tensor& weight,
                                     const at::Tensor& mean, const at::Tensor& inverse_deviation,
                                     const Dropout& dropout, bool of_x,
                                     std::optional<at::ScalarType> branch);

at::Tensor CallTokenSums(const at::Tensor& ids, const at::Tensor& x, int64_t vocabulary);
at::Tensor CallColumnSums(const at::Tensor& x);
at::Tensor CallGeluDropout(const at::Tensor& x, const Dropout& dropout);
at::Tensor CallGeluDropoutBackward(const at::Tensor& grad_out, const at::Tensor& x,
                                   const Dropout& dropout);

/// The sums of the rows of a matrix, in float32, in double for doubles: by the kernel, or by
/// LibTorch where it takes other widths and types.
at::Tensor SumOfRows(const at::Tensor& x);

}  // namespace spion::token_rows

#endif  // SPION_OPS_TOKEN_ROWS_OPERATORS_H_
