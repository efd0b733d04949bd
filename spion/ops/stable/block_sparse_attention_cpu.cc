// The operators of block-sparse attention on the CPU.
#include <torch/csrc/stable/library.h>

#include "spion/kernels/block_sparse/api.h"
#include "spion/ops/stable/allocate.h"
#include "spion/ops/stable/block_sparse_calls.h"
#include "spion/ops/stable/parallel.h"

namespace spion {
namespace {

using torch::stable::Tensor;

std::tuple<Tensor, Tensor> Forward(const Tensor& q, const Tensor& k, const Tensor& v,
                                   const Tensor& pattern, int64_t block_size, int64_t patterns,
                                   int64_t blocks_per_side, int64_t long_rows, int64_t long_lines,
                                   std::optional<Tensor> padding, double scale, bool pruned_is_zero,
                                   bool exact_float32, bool deterministic) {
  CheckCpuDtype(kForwardOp, q);
  return RunForward<float>(
      q, k, v,
      {pattern,
       block_size,
       {patterns, blocks_per_side, long_rows, long_lines},
       padding,
       scale,
       pruned_is_zero,
       exact_float32,
       deterministic},
      [](const BlockSparseForward<float>& call) { return cpu::Forward(call, TorchParallelFor()); });
}

Tensor Backward(const Tensor& grad_out, const Tensor& q, const Tensor& k, const Tensor& v,
                const Tensor& out, const Tensor& log_sum_exp, const Tensor& pattern,
                int64_t block_size, int64_t patterns, int64_t blocks_per_side, int64_t long_rows,
                int64_t long_lines, std::optional<Tensor> padding, double scale,
                bool pruned_is_zero, bool exact_float32, bool deterministic) {
  CheckCpuDtype(kBackwardOp, q);
  // The gradient may come expanded (of a sum, say): the kernel wants rows.
  const bool has_rows = grad_out.dim() == 4 && grad_out.stride(3) == 1;
  const Tensor grad_rows = has_rows ? grad_out : Copy(grad_out);
  return RunBackward<float>(grad_rows, q, k, v, out, log_sum_exp,
                            {pattern,
                             block_size,
                             {patterns, blocks_per_side, long_rows, long_lines},
                             padding,
                             scale,
                             pruned_is_zero,
                             exact_float32,
                             deterministic},
                            [](const BlockSparseBackward<float>& call) {
                              return cpu::Backward(call, TorchParallelFor());
                            });
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(spion, CPU, library) {
  library.impl("block_sparse_attention", TORCH_BOX(&Forward));
  library.impl("block_sparse_attention_backward", TORCH_BOX(&Backward));
}

}  // namespace spion
