// From the operators' tensors to the kernels' calls and back, for any element type and device: the
// checks and the allocation of results. Private to spion/ops.
#ifndef SPION_OPS_BLOCK_SPARSE_CALLS_H_
#define SPION_OPS_BLOCK_SPARSE_CALLS_H_

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <optional>
#include <tuple>

#include "spion/ops/pattern_object.h"
#include "spion/ops/tensor_arguments.h"

namespace spion {

inline constexpr char kForwardOp[] = "spion::block_sparse_attention";
inline constexpr char kBackwardOp[] = "spion::block_sparse_attention_backward";

/// `kernel` takes a BlockSparseForward<T> and returns a Status.
template <typename T, class Kernel>
std::tuple<at::Tensor, at::Tensor> RunForward(const at::Tensor& q, const at::Tensor& k,
                                              const at::Tensor& v,
                                              const BlockSparseProblem& problem, Kernel&& kernel) {
  CheckHeadTensor(kForwardOp, "q", q, q);
  CheckHeadTensor(kForwardOp, "k", k, q);
  CheckHeadTensor(kForwardOp, "v", v, q);
  at::Tensor out = EmptyHeads(q);
  at::Tensor log_sum_exp =
      at::empty({q.size(0), q.size(1), q.size(2)}, q.options().dtype(at::kFloat));
  ThrowIfError(kForwardOp,
               kernel(BlockSparseForward<T>{.problem = problem,
                                            .q = AsHeadTensor<const T>(q),
                                            .k = AsHeadTensor<const T>(k),
                                            .v = AsHeadTensor<const T>(v),
                                            .out = AsHeadTensor<T>(out),
                                            .log_sum_exp = log_sum_exp.mutable_data_ptr<float>()}));
  return {out, log_sum_exp};
}

/// `grad_out` has unit stride along d. `kernel` takes a BlockSparseBackward<T>.
template <typename T, class Kernel>
std::tuple<at::Tensor, at::Tensor, at::Tensor> RunBackward(
    const at::Tensor& grad_out, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
    const at::Tensor& out, const at::Tensor& log_sum_exp, const BlockSparseProblem& problem,
    Kernel&& kernel) {
  CheckHeadTensor(kBackwardOp, "q", q, q);
  CheckHeadTensor(kBackwardOp, "grad_out", grad_out, q);
  CheckHeadTensor(kBackwardOp, "k", k, q);
  CheckHeadTensor(kBackwardOp, "v", v, q);
  CheckHeadTensor(kBackwardOp, "out", out, q);
  TORCH_CHECK(log_sum_exp.is_contiguous() && log_sum_exp.scalar_type() == at::kFloat &&
                  log_sum_exp.device() == q.device() &&
                  log_sum_exp.numel() == q.size(0) * q.size(1) * q.size(2),
              kBackwardOp, ": log_sum_exp must be the forward pass's contiguous float32 [batch, ",
              "heads, length] on ", q.device(), "; got ", log_sum_exp.sizes(), " on ",
              log_sum_exp.device());
  auto [grad_q, grad_k, grad_v] = EmptyPackedHeads(q);
  ThrowIfError(kBackwardOp,
               kernel(BlockSparseBackward<T>{.problem = problem,
                                             .q = AsHeadTensor<const T>(q),
                                             .k = AsHeadTensor<const T>(k),
                                             .v = AsHeadTensor<const T>(v),
                                             .out = AsHeadTensor<const T>(out),
                                             .grad_out = AsHeadTensor<const T>(grad_out),
                                             .log_sum_exp = log_sum_exp.const_data_ptr<float>(),
                                             .grad_q = AsHeadTensor<T>(grad_q),
                                             .grad_k = AsHeadTensor<T>(grad_k),
                                             .grad_v = AsHeadTensor<T>(grad_v)}));
  return {grad_q, grad_k, grad_v};
}

}  // namespace spion

#endif  // SPION_OPS_BLOCK_SPARSE_CALLS_H_
