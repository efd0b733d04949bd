// The GPU's side of token_rows.h. Private to spion/ops.
#ifndef SPION_OPS_TOKEN_ROWS_KERNELS_H_
#define SPION_OPS_TOKEN_ROWS_KERNELS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <tuple>

#include "spion/ops/dropout.h"

namespace spion {

constexpr double kNormEpsilon = 1e-5;  // of every normalisation

/// Whether the kernels have the type.
inline bool TakesType(at::ScalarType dtype) {
  return dtype == at::kFloat || dtype == at::kBFloat16;
}

/// Normalised rows, with what their gradient needs.
struct NormedRows {
  at::Tensor normed;
  at::Tensor mean;  // of each row
  at::Tensor inverse_deviation;
};

/// Of AddNorm and EmbedNorm, whose branch is the sum of token and position.
struct AddNormGradients {
  at::Tensor x;       // undefined unless asked for
  at::Tensor branch;  // likewise
  at::Tensor weight;
  at::Tensor bias;
};

/// Calls of spion/kernels/token_rows; all tensors are on a GPU, operands may be any views. Without
/// autograd. Each throws c10::Error that names an operand of another size, type or device. A
/// program has all of the classes below, or none.
class TokenRowsKernels {
 public:
  static constexpr char kName[] = "kernels of tokens' rows";
  virtual ~TokenRowsKernels() = default;
};

class NormKernels : public TokenRowsKernels {
 public:
  virtual NormedRows NormRows(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                              at::ScalarType dtype) const = 0;
  /// In place of the rows their means over dimension 1; lengths may be undefined: all rows count.
  virtual NormedRows NormMean(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                              const at::Tensor& lengths) const = 0;
  /// The sum first.
  virtual std::tuple<at::Tensor, NormedRows> AddNorm(const at::Tensor& x, const at::Tensor& branch,
                                                     const Dropout& dropout,
                                                     const at::Tensor& weight,
                                                     const at::Tensor& bias,
                                                     at::ScalarType dtype) const = 0;
  /// grad_sum may be undefined: zero. `branch`: the type of the branch if its gradient is asked
  /// for. lengths, of NormMean, may be undefined.
  virtual AddNormGradients AddNormBackward(const at::Tensor& grad_sum,
                                           const at::Tensor& grad_normed, const at::Tensor& sum,
                                           const at::Tensor& weight, const at::Tensor& mean,
                                           const at::Tensor& inverse_deviation,
                                           const Dropout& dropout, bool of_x,
                                           std::optional<at::ScalarType> branch,
                                           const at::Tensor& lengths) const = 0;
};

class EmbedKernels : public TokenRowsKernels {
 public:
  /// The sum first.
  virtual std::tuple<at::Tensor, NormedRows> EmbedNorm(
      const at::Tensor& ids, const at::Tensor& tokens, const at::Tensor& positions,
      const Dropout& dropout, const at::Tensor& weight, const at::Tensor& bias,
      at::ScalarType dtype) const = 0;
  /// The sum alone.
  virtual at::Tensor Embed(const at::Tensor& ids, const at::Tensor& tokens,
                           const at::Tensor& positions, const Dropout& dropout) const = 0;
  /// Of Embed [..., length, width], that of the sum of token and position, and that of the
  /// positions.
  virtual std::tuple<at::Tensor, at::Tensor> EmbedBackward(const at::Tensor& grad_sum,
                                                           const Dropout& dropout) const = 0;
  /// [vocabulary, width]: of each token the sum of its rows.
  virtual at::Tensor TokenSums(const at::Tensor& ids, const at::Tensor& x,
                               int64_t vocabulary) const = 0;
};

class GeluDropoutKernels : public TokenRowsKernels {
 public:
  virtual at::Tensor GeluDropout(const at::Tensor& x, const Dropout& dropout) const = 0;
  virtual at::Tensor GeluDropoutBackward(const at::Tensor& grad_out, const at::Tensor& x,
                                         const Dropout& dropout) const = 0;
};

class ColumnSumsKernels : public TokenRowsKernels {
 public:
  /// [columns] of a matrix, float32.
  virtual at::Tensor ColumnSums(const at::Tensor& x) const = 0;
};

}  // namespace spion

#endif  // SPION_OPS_TOKEN_ROWS_KERNELS_H_
