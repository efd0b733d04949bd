// NormKernels by CUDA.
#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <cstdint>
#include <optional>
#include <tuple>

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

class NormByCuda final : public NormKernels {
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
};

const NormByCuda kNorm;
const GpuSide<NormKernels> kGpuSide(kNorm);

}  // namespace
}  // namespace spion
