// The operators of block_sparse_attention.h on a GPU.
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include "spion/kernels/block_sparse/api.h"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/common/number.h"
#include "spion/ops/block_sparse_calls.h"
#include "spion/ops/cuda_dispatch.h"

namespace spion {
namespace {

BlockSparseProblem Problem(const char* op, const at::Tensor& q, const PatternPointer& pattern,
                           const std::optional<at::Tensor>& padding, bool pruned_is_zero,
                           bool exact_float32) {
  BlockSparseProblem problem = AsProblem(op, q, pattern->tensors, padding, pruned_is_zero);
  problem.float32 = exact_float32 ? Float32Math::kExact : Float32Math::kTf32;
  return problem;
}

std::tuple<at::Tensor, at::Tensor> Forward(const at::Tensor& q, const at::Tensor& k,
                                           const at::Tensor& v, const PatternPointer& pattern,
                                           const std::optional<at::Tensor>& padding,
                                           bool pruned_is_zero, bool exact_float32) {
  const c10::cuda::CUDAGuard guard(q.device());
  const BlockSparseProblem problem =
      Problem(kForwardOp, q, pattern, padding, pruned_is_zero, exact_float32);
  return DispatchElement(kForwardOp, q, [&](auto element) {
    using T = decltype(element);
    return RunForward<T>(q, k, v, problem, [](const BlockSparseForward<T>& call) {
      return cuda::Forward(call, c10::cuda::getCurrentCUDAStream());
    });
  });
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> Backward(
    const at::Tensor& grad_out, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
    const at::Tensor& out, const at::Tensor& log_sum_exp, const PatternPointer& pattern,
    const std::optional<at::Tensor>& padding, bool pruned_is_zero, bool exact_float32) {
  const c10::cuda::CUDAGuard guard(q.device());
  const BlockSparseProblem problem =
      Problem(kBackwardOp, q, pattern, padding, pruned_is_zero, exact_float32);
  // The gradient comes as autograd has it: expanded (of a sum, say), at any offset, spread far.
  const at::Tensor grad_rows =
      IsReadInPlace(grad_out) ? grad_out : grad_out.clone(at::MemoryFormat::Contiguous);
  return DispatchElement(kBackwardOp, q, [&](auto element) {
    using T = decltype(element);
    return RunBackward<T>(
        grad_rows, q, k, v, out, log_sum_exp, problem, [&](BlockSparseBackward<T> call) {
          const at::Tensor scratch =
              at::empty({cuda::BackwardScratchFloats<T>(problem)}, q.options().dtype(at::kFloat));
          call.scratch = scratch.mutable_data_ptr<float>();
          return cuda::Backward(call, c10::cuda::getCurrentCUDAStream());
        });
  });
}

}  // namespace

TORCH_LIBRARY_IMPL(spion, CUDA, library) {
  RegisterPatternObject();
  library.impl("block_sparse_attention", Forward);
  library.impl("block_sparse_attention_backward", Backward);
}

}  // namespace spion
