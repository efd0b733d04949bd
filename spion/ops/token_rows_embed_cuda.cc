// EmbedKernels by CUDA.
#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <cstdint>
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

class EmbedByCuda final : public EmbedKernels {
 public:
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
    Tensor sum = at::empty(operands.row_sizes, tokens.options());
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
    Tensor sums = at::empty({vocabulary, width}, x.options());
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
};

const EmbedByCuda kEmbed;
const GpuSide<EmbedKernels> kGpuSide(kEmbed);

}  // namespace
}  // namespace spion
