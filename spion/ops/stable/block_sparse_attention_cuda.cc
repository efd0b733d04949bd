// The operators of block-sparse attention on a GPU.
#include <torch/csrc/stable/library.h>

#include "spion/kernels/block_sparse/api.h"
#include "spion/ops/stable/allocate.h"
#include "spion/ops/stable/block_sparse_calls.h"
#include "spion/ops/stable/cuda_device.h"

namespace spion {
namespace {

using torch::stable::Tensor;

std::tuple<Tensor, Tensor> Forward(const Tensor& q, const Tensor& k, const Tensor& v,
                                   const Tensor& pattern, int64_t block_size, int64_t patterns,
                                   int64_t blocks_per_side, int64_t long_rows, int64_t long_lines,
                                   std::optional<Tensor> padding, double scale, bool pruned_is_zero,
                                   bool exact_float32, bool deterministic) {
  const BlockSparseArguments arguments{
      pattern,       block_size,   {patterns, blocks_per_side, long_rows, long_lines},
      padding,       scale,        pruned_is_zero,
      exact_float32, deterministic};
  return RunOnGpu(kForwardOp, q, [&](auto element) {
    using T = decltype(element);
    return RunForward<T>(q, k, v, arguments, [&](const BlockSparseForward<T>& call) {
      return cuda::Forward(call, CurrentStream(q));
    });
  });
}

Tensor Backward(const Tensor& grad_out, const Tensor& q, const Tensor& k, const Tensor& v,
                const Tensor& out, const Tensor& log_sum_exp, const Tensor& pattern,
                int64_t block_size, int64_t patterns, int64_t blocks_per_side, int64_t long_rows,
                int64_t long_lines, std::optional<Tensor> padding, double scale,
                bool pruned_is_zero, bool exact_float32, bool deterministic) {
  const BlockSparseArguments arguments{
      pattern,       block_size,   {patterns, blocks_per_side, long_rows, long_lines},
      padding,       scale,        pruned_is_zero,
      exact_float32, deterministic};
  return RunOnGpu(kBackwardOp, q, [&](auto element) {
    using T = decltype(element);
    // The gradient comes as autograd has it: expanded (of a sum, say), at any offset, spread far.
    const Tensor grad_rows = IsReadInPlace(grad_out) ? grad_out : Copy(grad_out);
    return RunBackward<T>(
        grad_rows, q, k, v, out, log_sum_exp, arguments, [&](BlockSparseBackward<T> call) {
          const Tensor scratch =
              AllocateFloats(q, {cuda::BackwardScratchFloats<T>(call.problem, deterministic)});
          call.scratch = static_cast<float*>(scratch.mutable_data_ptr());
          return cuda::Backward(call, CurrentStream(q));
        });
  });
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(spion, CUDA, library) {
  library.impl("block_sparse_attention", TORCH_BOX(&Forward));
  library.impl("block_sparse_attention_backward", TORCH_BOX(&Backward));
}

}  // namespace spion
