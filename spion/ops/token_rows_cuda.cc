// TokenRowsKernels by CUDA.
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include "spion/kernels/token_rows/api.h"
#include "spion/ops/dropout.h"
#include "spion/ops/gpu_side.h"
#include "spion/ops/operands.h"
#include "spion/ops/throw_if_error.h"
#include "spion/ops/token_rows_arguments.h"
#include "spion/ops/token_rows_kernels.h"

namespace spion {
namespace {

using at::Tensor;

/// Calls body(T{}) with the kernels' type.
template <class Body>
auto DispatchNumber(const char* op, at::ScalarType dtype, Body&& body) {
  TORCH_CHECK(dtype == at::kFloat || dtype == at::kBFloat16, op,
              " on a GPU takes Float and BFloat16; got ", dtype);
  return dtype == at::kFloat ? body(float{}) : body(BFloat16{});
}

/// The normalisation of rows to come, with what it writes.
struct NormTensors {
  NormTensors(const char* op, const Tensor& weight, const Tensor& bias, at::IntArrayRef sizes,
              RowSizes rows, at::ScalarType dtype, c10::Device device)
      : weight(Operand(op, "weight", weight, at::kFloat, {rows.width}, device)),
        bias(Operand(op, "bias", bias, at::kFloat, {rows.width}, device)),
        out(at::empty(sizes, this->weight.options().dtype(dtype))),
        mean(at::empty({rows.rows}, this->weight.options())),
        inverse_deviation(at::empty_like(mean)) {}

  template <typename T>
  cuda::RowNorm<T> Call() const {
    return {static_cast<float>(kNormEpsilon),
            Data<float>(weight),
            Data<float>(bias),
            MutableData<T>(out),
            MutableData<float>(mean),
            MutableData<float>(inverse_deviation)};
  }

  NormedRows Results() const { return {out, mean, inverse_deviation}; }

  Tensor weight;
  Tensor bias;
  Tensor out;
  Tensor mean;
  Tensor inverse_deviation;
};

/// A gradient, each of whose rows counts for so many that follow each other.
struct RepeatedRows {
  Tensor rows;
  int64_t repeats;
};

/// What a sum over positions leaves has stride 0 along them, and is not written out.
RepeatedRows FindRepeatedRows(const Tensor& grad) {
  const bool repeats = grad.dim() > 1 && grad.stride(-2) == 0 && grad.size(-2) > 0;
  if (!repeats) return {Rows(grad), 1};
  return {Rows(grad.select(-2, 0)), grad.size(-2)};
}

cuda::TokenIds AsTokenIds(const Tensor& ids) {
  if (ids.scalar_type() == at::kLong) return {.narrow = nullptr, .wide = Data<int64_t>(ids)};
  return {.narrow = Data<int32_t>(ids), .wide = nullptr};
}

Tensor TokenIdOperand(const char* op, const Tensor& ids, c10::Device device) {
  TORCH_CHECK(
      (ids.scalar_type() == at::kLong || ids.scalar_type() == at::kInt) && ids.device() == device,
      op, ": ids must be Long or Int on ", device, "; got ", ids.scalar_type(), " on ",
      ids.device());
  return ids.contiguous();
}

/// What EmbedNorm and Embed look up.
struct EmbedOperands {
  EmbedOperands(const char* op, const Tensor& of_rows, const Tensor& of_tokens,
                const Tensor& of_positions) {
    TORCH_CHECK(of_tokens.dim() == 2 && of_rows.dim() > 0, op,
                " takes tokens [vocabulary, width] and ids [..., length]; got ", of_tokens.sizes(),
                " and ", of_rows.sizes());
    const c10::Device device = of_tokens.device();
    sizes = {of_rows.numel(), of_tokens.size(1)};
    length = of_rows.size(-1);
    ids = TokenIdOperand(op, of_rows, device);
    tokens = Operand(op, "tokens", of_tokens, at::kFloat, of_tokens.sizes(), device);
    positions = Operand(op, "positions", of_positions, at::kFloat, {length, sizes.width}, device);
    row_sizes = of_rows.sizes().vec();
    row_sizes.push_back(sizes.width);
  }

  /// Without a normalisation.
  template <typename T>
  cuda::EmbedNormForward<T> Call(const cuda::Dropout& dropout, const Tensor& sum) const {
    return {.rows = sizes.rows,
            .width = sizes.width,
            .length = length,
            .vocabulary = tokens.size(0),
            .ids = AsTokenIds(ids),
            .tokens = Data<float>(tokens),
            .positions = Data<float>(positions),
            .dropout = dropout,
            .sum = MutableData<float>(sum),
            .norm = {}};
  }

  RowSizes sizes;
  int64_t length;
  Tensor ids;
  Tensor tokens;
  Tensor positions;
  std::vector<int64_t> row_sizes;
};

class TokenRowsByCuda final : public TokenRowsKernels {
 public:
  NormedRows NormRows(const Tensor& x, const Tensor& weight, const Tensor& bias,
                      at::ScalarType dtype) const override {
    constexpr char kOp[] = "NormRows";
    const c10::cuda::CUDAGuard guard(x.device());
    const RowSizes sizes = SizesOf(kOp, "x", x);
    const Tensor rows = Operand(kOp, "x", x, at::kFloat, x.sizes(), x.device());
    const NormTensors norm(kOp, weight, bias, x.sizes(), sizes, dtype, x.device());
    DispatchNumber(kOp, dtype, [&](auto number) {
      using T = decltype(number);
      ThrowIfError(kOp, cuda::Run(cuda::AddNormForward<float, T>{.rows = sizes.rows,
                                                                 .width = sizes.width,
                                                                 .x = Data<float>(rows),
                                                                 .branch = nullptr,
                                                                 .dropout = {},
                                                                 .sum = nullptr,
                                                                 .norm = norm.Call<T>()},
                                  c10::cuda::getCurrentCUDAStream()));
    });
    return norm.Results();
  }

  NormedRows NormMean(const Tensor& x, const Tensor& weight, const Tensor& bias,
                      const Tensor& lengths) const override {
    constexpr char kOp[] = "NormMean";
    const c10::cuda::CUDAGuard guard(x.device());
    TORCH_CHECK(x.dim() == 3, kOp, " takes x [sequences, length, width]; got ", x.sizes());
    const RowSizes sizes = SizesOf(kOp, "x", x);
    const int64_t sequences = x.size(0);
    const Tensor rows = Operand(kOp, "x", x, at::kFloat, x.sizes(), x.device());
    Tensor counted;
    if (lengths.defined()) {
      counted = Operand(kOp, "lengths", lengths, at::kInt, {sequences}, x.device());
    }
    const NormTensors norm(kOp, weight, bias, {sequences, sizes.width}, sizes, at::kFloat,
                           x.device());
    const Tensor scratch =
        at::empty({cuda::NormMeanScratchFloats(sequences, x.size(1), sizes.width)}, rows.options());
    ThrowIfError(kOp, cuda::Run(cuda::NormMean{.sequences = sequences,
                                               .length = x.size(1),
                                               .width = sizes.width,
                                               .x = Data<float>(rows),
                                               .lengths = counted.defined() ? Data<int32_t>(counted)
                                                                            : nullptr,
                                               .norm = norm.Call<float>(),
                                               .scratch = MutableData<float>(scratch)},
                                c10::cuda::getCurrentCUDAStream()));
    return norm.Results();
  }

  std::tuple<Tensor, NormedRows> AddNorm(const Tensor& x, const Tensor& branch,
                                         const Dropout& dropout, const Tensor& weight,
                                         const Tensor& bias, at::ScalarType dtype) const override {
    constexpr char kOp[] = "AddNorm";
    const c10::cuda::CUDAGuard guard(x.device());
    const RowSizes sizes = SizesOf(kOp, "x", x);
    const Tensor rows = Operand(kOp, "x", x, at::kFloat, x.sizes(), x.device());
    const Tensor branch_rows =
        Operand(kOp, "branch", branch, branch.scalar_type(), x.sizes(), x.device());
    const NormTensors norm(kOp, weight, bias, x.sizes(), sizes, dtype, x.device());
    const Tensor sum = at::empty(x.sizes(), x.options());
    DispatchNumber(kOp, branch.scalar_type(), [&](auto branch_number) {
      DispatchNumber(kOp, dtype, [&](auto number) {
        using Branch = decltype(branch_number);
        using T = decltype(number);
        ThrowIfError(
            kOp, cuda::Run(
                     cuda::AddNormForward<Branch, T>{.rows = sizes.rows,
                                                     .width = sizes.width,
                                                     .x = Data<float>(rows),
                                                     .branch = Data<Branch>(branch_rows),
                                                     .dropout = ForwardDropout(kOp, dropout, sizes),
                                                     .sum = MutableData<float>(sum),
                                                     .norm = norm.Call<T>()},
                     c10::cuda::getCurrentCUDAStream()));
      });
    });
    return {sum, norm.Results()};
  }

  AddNormGradients AddNormBackward(const Tensor& grad_sum, const Tensor& grad_normed,
                                   const Tensor& sum, const Tensor& weight, const Tensor& mean,
                                   const Tensor& inverse_deviation, const Dropout& dropout,
                                   bool of_x, std::optional<at::ScalarType> branch,
                                   const Tensor& lengths) const override {
    constexpr char kOp[] = "AddNormBackward";
    const c10::Device device = sum.device();
    const c10::cuda::CUDAGuard guard(device);
    const auto [rows, width] = SizesOf(kOp, "sum", sum);
    const auto floats = [&](const char* name, const Tensor& tensor, at::IntArrayRef sizes) {
      return Operand(kOp, name, tensor, at::kFloat, sizes, device);
    };
    const Tensor sum_rows = floats("sum", sum, sum.sizes());
    const Tensor scale = floats("weight", weight, {width});
    const Tensor means = floats("mean", mean, {rows});
    const Tensor inverses = floats("inverse_deviation", inverse_deviation, {rows});
    CheckOperand(kOp, "grad_normed", grad_normed, grad_normed.scalar_type(), sum.sizes(), device);
    const RepeatedRows grad = FindRepeatedRows(grad_normed);
    Tensor counted;
    if (lengths.defined()) {
      counted = Operand(kOp, "lengths", lengths, at::kInt, {rows / grad.repeats}, device);
    }
    Tensor grad_sum_rows;
    if (grad_sum.defined()) grad_sum_rows = floats("grad_sum", grad_sum, sum.sizes());

    const at::TensorOptions options = sum.options();
    Tensor grad_x;
    Tensor grad_branch;
    if (of_x) grad_x = at::empty(sum.sizes(), options);
    if (branch.has_value()) grad_branch = at::empty(sum.sizes(), options.dtype(*branch));
    const Tensor grad_parameters = at::empty({2, width}, options);
    const Tensor scratch = at::empty({cuda::ScratchFloats(rows, 2 * width)}, options);
    DispatchNumber(kOp, branch.value_or(at::kFloat), [&, rows = rows, width = width](auto to) {
      DispatchNumber(kOp, grad_normed.scalar_type(), [&](auto from) {
        using Branch = decltype(to);
        using T = decltype(from);
        ThrowIfError(
            kOp,
            cuda::Run(
                cuda::AddNormBackward<Branch, T>{
                    .rows = rows,
                    .width = width,
                    .repeats = grad.repeats,
                    .lengths = counted.defined() ? Data<int32_t>(counted) : nullptr,
                    .grad_sum = grad_sum_rows.defined() ? Data<float>(grad_sum_rows) : nullptr,
                    .grad_out = Data<T>(grad.rows),
                    .sum = Data<float>(sum_rows),
                    .weight = Data<float>(scale),
                    .mean = Data<float>(means),
                    .inverse_deviation = Data<float>(inverses),
                    .dropout = BackwardDropout(kOp, dropout, {rows, width}),
                    .grad_x = of_x ? MutableData<float>(grad_x) : nullptr,
                    .grad_branch = branch.has_value() ? MutableData<Branch>(grad_branch) : nullptr,
                    .grad_parameters = MutableData<float>(grad_parameters),
                    .scratch = MutableData<float>(scratch)},
                c10::cuda::getCurrentCUDAStream()));
      });
    });
    return {grad_x, grad_branch, grad_parameters.select(0, 0), grad_parameters.select(0, 1)};
  }

  std::tuple<Tensor, NormedRows> EmbedNorm(const Tensor& ids, const Tensor& tokens,
                                           const Tensor& positions, const Dropout& dropout,
                                           const Tensor& weight, const Tensor& bias,
                                           at::ScalarType dtype) const override {
    constexpr char kOp[] = "EmbedNorm";
    const c10::cuda::CUDAGuard guard(tokens.device());
    const EmbedOperands operands(kOp, ids, tokens, positions);
    const NormTensors norm(kOp, weight, bias, operands.row_sizes, operands.sizes, dtype,
                           tokens.device());
    const Tensor sum = at::empty(operands.row_sizes, tokens.options());
    DispatchNumber(kOp, dtype, [&](auto number) {
      using T = decltype(number);
      cuda::EmbedNormForward<T> call =
          operands.Call<T>(ForwardDropout(kOp, dropout, operands.sizes), sum);
      call.norm = norm.Call<T>();
      ThrowIfError(kOp, cuda::Run(call, c10::cuda::getCurrentCUDAStream()));
    });
    return {sum, norm.Results()};
  }

  Tensor Embed(const Tensor& ids, const Tensor& tokens, const Tensor& positions,
               const Dropout& dropout) const override {
    constexpr char kOp[] = "Embed";
    const c10::cuda::CUDAGuard guard(tokens.device());
    const EmbedOperands operands(kOp, ids, tokens, positions);
    const Tensor sum = at::empty(operands.row_sizes, tokens.options());
    ThrowIfError(kOp,
                 cuda::Run(operands.Call<float>(ForwardDropout(kOp, dropout, operands.sizes), sum),
                           c10::cuda::getCurrentCUDAStream()));
    return sum;
  }

  std::tuple<Tensor, Tensor> EmbedBackward(const Tensor& grad_sum,
                                           const Dropout& dropout) const override {
    constexpr char kOp[] = "EmbedBackward";
    const c10::cuda::CUDAGuard guard(grad_sum.device());
    const RowSizes sizes = SizesOf(kOp, "grad_sum", grad_sum);
    const Tensor rows =
        Operand(kOp, "grad_sum", grad_sum, at::kFloat, grad_sum.sizes(), grad_sum.device());
    const Tensor grad = at::empty(grad_sum.sizes(), rows.options());
    const Tensor positions = at::empty({grad_sum.size(-2), sizes.width}, rows.options());
    ThrowIfError(kOp, cuda::Run(cuda::EmbedBackward{.rows = sizes.rows,
                                                    .width = sizes.width,
                                                    .length = grad_sum.size(-2),
                                                    .grad = Data<float>(rows),
                                                    .dropout = BackwardDropout(kOp, dropout, sizes),
                                                    .out = MutableData<float>(grad),
                                                    .positions = MutableData<float>(positions)},
                                c10::cuda::getCurrentCUDAStream()));
    return {grad, positions};
  }

  Tensor TokenSums(const Tensor& ids, const Tensor& x, int64_t vocabulary) const override {
    constexpr char kOp[] = "TokenSums";
    const c10::cuda::CUDAGuard guard(x.device());
    const auto [count, width] = SizesOf(kOp, "x", x);
    TORCH_CHECK(ids.numel() == count && vocabulary > 0, kOp, " takes an id for each of ", count,
                " rows and a vocabulary of at least 1; got ids ", ids.sizes(), " of ", vocabulary);
    const Tensor row_ids = TokenIdOperand(kOp, ids, x.device());
    const Tensor rows = Operand(kOp, "x", x, at::kFloat, x.sizes(), x.device());
    const Tensor sums = at::empty({vocabulary, width}, x.options());
    const Tensor scratch =
        at::empty({cuda::TokenScratchFloats(count, vocabulary, width)}, x.options());
    ThrowIfError(kOp, cuda::Run(cuda::TokenSums{.rows = count,
                                                .width = width,
                                                .vocabulary = vocabulary,
                                                .ids = AsTokenIds(row_ids),
                                                .x = Data<float>(rows),
                                                .sums = MutableData<float>(sums),
                                                .scratch = MutableData<float>(scratch)},
                                c10::cuda::getCurrentCUDAStream()));
    return sums;
  }

  Tensor ColumnSums(const Tensor& x) const override {
    constexpr char kOp[] = "ColumnSums";
    const c10::cuda::CUDAGuard guard(x.device());
    TORCH_CHECK(x.dim() == 2, kOp, " takes a matrix; got ", x.sizes());
    const Tensor rows = Rows(x);
    const at::TensorOptions floats = x.options().dtype(at::kFloat);
    const Tensor sums = at::empty({x.size(1)}, floats);
    const Tensor scratch = at::empty({cuda::ColumnScratchFloats(x.size(0), x.size(1))}, floats);
    DispatchNumber(kOp, x.scalar_type(), [&](auto number) {
      using T = decltype(number);
      ThrowIfError(
          kOp, cuda::Run(cuda::ColumnSums<T>{x.size(0), x.size(1), Data<T>(rows),
                                             MutableData<float>(sums), MutableData<float>(scratch)},
                         c10::cuda::getCurrentCUDAStream()));
    });
    return sums;
  }

  Tensor GeluDropout(const Tensor& x, const Dropout& dropout) const override {
    constexpr char kOp[] = "GeluDropout";
    const c10::cuda::CUDAGuard guard(x.device());
    const Tensor numbers = Rows(x);
    const Tensor out = at::empty(x.sizes(), x.options());
    DispatchNumber(kOp, x.scalar_type(), [&](auto number) {
      using T = decltype(number);
      ThrowIfError(
          kOp,
          cuda::Run(cuda::GeluDropoutForward<T>{.count = x.numel(),
                                                .x = Data<T>(numbers),
                                                .dropout = ForwardDropout(
                                                    dropout, x.numel() / cuda::kNumbersPerDraw),
                                                .out = MutableData<T>(out)},
                    c10::cuda::getCurrentCUDAStream()));
    });
    return out;
  }

  Tensor GeluDropoutBackward(const Tensor& grad_out, const Tensor& x,
                             const Dropout& dropout) const override {
    constexpr char kOp[] = "GeluDropoutBackward";
    const c10::cuda::CUDAGuard guard(x.device());
    const Tensor numbers = Rows(x);
    const Tensor grads = Operand(kOp, "grad_out", grad_out, x.scalar_type(), x.sizes(), x.device());
    const Tensor grad_x = at::empty(x.sizes(), x.options());
    DispatchNumber(kOp, x.scalar_type(), [&](auto number) {
      using T = decltype(number);
      ThrowIfError(
          kOp,
          cuda::Run(cuda::GeluDropoutBackward<T>{.count = x.numel(),
                                                 .grad_out = Data<T>(grads),
                                                 .x = Data<T>(numbers),
                                                 .dropout = BackwardDropout(
                                                     dropout, x.numel() / cuda::kNumbersPerDraw),
                                                 .grad_x = MutableData<T>(grad_x)},
                    c10::cuda::getCurrentCUDAStream()));
    });
    return grad_x;
  }
};

const TokenRowsByCuda kTokenRows;
const GpuSide<TokenRowsKernels> kGpuSide(kTokenRows);

}  // namespace
}  // namespace spion
