// The operators of block_sparse_attention.h on the CPU.
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <tuple>

#include "spion/kernels/block_sparse/api.h"
#include "spion/ops/parallel.h"
#include "spion/ops/tensor_arguments.h"

namespace spion {
namespace {

constexpr char kForward[] = "spion::block_sparse_attention";
constexpr char kBackward[] = "spion::block_sparse_attention_backward";

void CheckDtype(const char* op, const at::Tensor& q) {
  TORCH_CHECK(q.scalar_type() == at::kFloat, op, " on the CPU takes float32; got ", q.scalar_type(),
              "; call .to(at::kFloat)");
}

std::tuple<at::Tensor, at::Tensor> Forward(
    const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& row_offsets,
    const at::Tensor& row_columns, const at::Tensor& column_offsets, const at::Tensor& column_rows,
    int64_t block_size, const std::optional<at::Tensor>& padding, bool pruned_is_zero) {
  CheckDtype(kForward, q);
  const BlockSparseProblem problem =
      AsProblem(kForward, q, row_offsets, row_columns, column_offsets, column_rows, block_size,
                padding, pruned_is_zero);
  CheckHeadTensor(kForward, "q", q, q);
  CheckHeadTensor(kForward, "k", k, q);
  CheckHeadTensor(kForward, "v", v, q);
  at::Tensor out = EmptyHeads(q);
  at::Tensor log_sum_exp = at::empty({q.size(0), q.size(1), q.size(2)}, q.options());
  ThrowIfError(kForward, cpu::Forward({.problem = problem,
                                       .q = AsHeadTensor<const float>(q),
                                       .k = AsHeadTensor<const float>(k),
                                       .v = AsHeadTensor<const float>(v),
                                       .out = AsHeadTensor<float>(out),
                                       .log_sum_exp = log_sum_exp.mutable_data_ptr<float>()},
                                      TorchParallelFor()));
  return {out, log_sum_exp};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> Backward(
    const at::Tensor& grad_out, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
    const at::Tensor& out, const at::Tensor& log_sum_exp, const at::Tensor& row_offsets,
    const at::Tensor& row_columns, const at::Tensor& column_offsets, const at::Tensor& column_rows,
    int64_t block_size, const std::optional<at::Tensor>& padding, bool pruned_is_zero) {
  CheckDtype(kBackward, q);
  const BlockSparseProblem problem =
      AsProblem(kBackward, q, row_offsets, row_columns, column_offsets, column_rows, block_size,
                padding, pruned_is_zero);
  // The gradient may come expanded (of a sum, say): the kernel wants rows.
  const at::Tensor grad_rows = grad_out.stride(3) == 1 ? grad_out : grad_out.contiguous();
  CheckHeadTensor(kBackward, "grad_out", grad_rows, q);
  CheckHeadTensor(kBackward, "k", k, q);
  CheckHeadTensor(kBackward, "v", v, q);
  CheckHeadTensor(kBackward, "out", out, q);
  TORCH_CHECK(log_sum_exp.is_contiguous() && log_sum_exp.scalar_type() == at::kFloat &&
                  log_sum_exp.numel() == q.size(0) * q.size(1) * q.size(2),
              kBackward, ": log_sum_exp must be the forward pass's contiguous float32 [batch, ",
              "heads, length]; got ", log_sum_exp.sizes());
  at::Tensor grad_q = EmptyHeads(q);
  at::Tensor grad_k = EmptyHeads(q);
  at::Tensor grad_v = EmptyHeads(q);
  ThrowIfError(kBackward, cpu::Backward({.problem = problem,
                                         .q = AsHeadTensor<const float>(q),
                                         .k = AsHeadTensor<const float>(k),
                                         .v = AsHeadTensor<const float>(v),
                                         .out = AsHeadTensor<const float>(out),
                                         .grad_out = AsHeadTensor<const float>(grad_rows),
                                         .log_sum_exp = log_sum_exp.const_data_ptr<float>(),
                                         .grad_q = AsHeadTensor<float>(grad_q),
                                         .grad_k = AsHeadTensor<float>(grad_k),
                                         .grad_v = AsHeadTensor<float>(grad_v)},
                                        TorchParallelFor()));
  return {grad_q, grad_k, grad_v};
}

}  // namespace

TORCH_LIBRARY_IMPL(spion, CPU, library) {
  library.impl("block_sparse_attention", Forward);
  library.impl("block_sparse_attention_backward", Backward);
}

}  // namespace spion
