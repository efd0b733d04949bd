// The operators of block_sparse_attention.h on the CPU.
#include <torch/library.h>

#include "spion/kernels/block_sparse/api.h"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/ops/block_sparse_calls.h"
#include "spion/ops/parallel.h"

namespace spion {
namespace {

void CheckDtype(const char* op, const at::Tensor& q) {
  TORCH_CHECK(q.scalar_type() == at::kFloat, op, " on the CPU takes float32; got ", q.scalar_type(),
              "; call .to(at::kFloat)");
}

// fp32 is always exact here.
std::tuple<at::Tensor, at::Tensor> Forward(const at::Tensor& q, const at::Tensor& k,
                                           const at::Tensor& v, const PatternPointer& pattern,
                                           const std::optional<at::Tensor>& padding,
                                           bool pruned_is_zero, bool /*exact_float32*/) {
  CheckDtype(kForwardOp, q);
  return RunForward<float>(
      q, k, v, AsProblem(kForwardOp, q, pattern->tensors, padding, pruned_is_zero),
      [](const BlockSparseForward<float>& call) { return cpu::Forward(call, TorchParallelFor()); });
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> Backward(
    const at::Tensor& grad_out, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
    const at::Tensor& out, const at::Tensor& log_sum_exp, const PatternPointer& pattern,
    const std::optional<at::Tensor>& padding, bool pruned_is_zero, bool /*exact_float32*/) {
  CheckDtype(kBackwardOp, q);
  // The gradient may come expanded (of a sum, say): the kernel wants rows.
  const at::Tensor grad_rows = grad_out.stride(3) == 1 ? grad_out : grad_out.contiguous();
  return RunBackward<float>(grad_rows, q, k, v, out, log_sum_exp,
                            AsProblem(kBackwardOp, q, pattern->tensors, padding, pruned_is_zero),
                            [](const BlockSparseBackward<float>& call) {
                              return cpu::Backward(call, TorchParallelFor());
                            });
}

}  // namespace

TORCH_LIBRARY_IMPL(spion, CPU, library) {
  RegisterPatternObject();
  library.impl("block_sparse_attention", Forward);
  library.impl("block_sparse_attention_backward", Backward);
}

}  // namespace spion
