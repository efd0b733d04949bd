// From the operators' tensors to the kernels' calls and back, for any element type and device: the
// checks and the allocation of results. Private to spion/ops/stable.
#ifndef SPION_OPS_STABLE_BLOCK_SPARSE_CALLS_H_
#define SPION_OPS_STABLE_BLOCK_SPARSE_CALLS_H_

#include <torch/csrc/stable/tensor.h>

#include <optional>
#include <tuple>

#include "spion/ops/stable/allocate.h"
#include "spion/ops/stable/refuse.h"
#include "spion/ops/stable/tensor_arguments.h"

namespace spion {

inline constexpr char kForwardOp[] = "spion::block_sparse_attention";
inline constexpr char kBackwardOp[] = "spion::block_sparse_attention_backward";

/// `kernel` takes a BlockSparseForward<T> and returns a Status.
template <typename T, class Kernel>
std::tuple<torch::stable::Tensor, torch::stable::Tensor> RunForward(
    const torch::stable::Tensor& q, const torch::stable::Tensor& k, const torch::stable::Tensor& v,
    const BlockSparseArguments& arguments, Kernel&& kernel) {
  const BlockSparseProblem problem = AsProblem(kForwardOp, q, arguments);
  CheckHeadTensor(kForwardOp, "q", q, q);
  CheckHeadTensor(kForwardOp, "k", k, q);
  CheckHeadTensor(kForwardOp, "v", v, q);
  const torch::stable::Tensor out = EmptyHeads(q);
  const torch::stable::Tensor log_sum_exp = AllocateFloats(q, {q.size(0), q.size(1), q.size(2)});
  CheckOk(kForwardOp, kernel(BlockSparseForward<T>{
                          .problem = problem,
                          .q = AsHeadTensor<const T>(q),
                          .k = AsHeadTensor<const T>(k),
                          .v = AsHeadTensor<const T>(v),
                          .out = AsHeadTensor<T>(out),
                          .log_sum_exp = static_cast<float*>(log_sum_exp.mutable_data_ptr())}));
  return {out, log_sum_exp};
}

/// `grad_out` has unit stride along d. `kernel` takes a BlockSparseBackward<T>.
template <typename T, class Kernel>
torch::stable::Tensor RunBackward(const torch::stable::Tensor& grad_out,
                                  const torch::stable::Tensor& q, const torch::stable::Tensor& k,
                                  const torch::stable::Tensor& v, const torch::stable::Tensor& out,
                                  const torch::stable::Tensor& log_sum_exp,
                                  const BlockSparseArguments& arguments, Kernel&& kernel) {
  const BlockSparseProblem problem = AsProblem(kBackwardOp, q, arguments);
  CheckHeadTensor(kBackwardOp, "q", q, q);
  CheckHeadTensor(kBackwardOp, "grad_out", grad_out, q);
  CheckHeadTensor(kBackwardOp, "k", k, q);
  CheckHeadTensor(kBackwardOp, "v", v, q);
  CheckHeadTensor(kBackwardOp, "out", out, q);
  if (!log_sum_exp.is_contiguous() ||
      log_sum_exp.scalar_type() != torch::headeronly::ScalarType::Float ||
      !IsOnSameDevice(log_sum_exp, q) || log_sum_exp.numel() != q.size(0) * q.size(1) * q.size(2)) {
    Refuse(kBackwardOp, ": log_sum_exp must be the forward pass's contiguous float32 ",
           "[batch, heads, length] on ", DeviceOf(q), "; got ", SizesOf(log_sum_exp), " on ",
           DeviceOf(log_sum_exp));
  }
  const torch::stable::Tensor gradients = EmptyGradients(q);
  CheckOk(kBackwardOp, kernel(BlockSparseBackward<T>{
                           .problem = problem,
                           .q = AsHeadTensor<const T>(q),
                           .k = AsHeadTensor<const T>(k),
                           .v = AsHeadTensor<const T>(v),
                           .out = AsHeadTensor<const T>(out),
                           .grad_out = AsHeadTensor<const T>(grad_out),
                           .log_sum_exp = static_cast<const float*>(log_sum_exp.const_data_ptr()),
                           .grad_q = GradientOf<T>(gradients, 0),
                           .grad_k = GradientOf<T>(gradients, 1),
                           .grad_v = GradientOf<T>(gradients, 2),
                           .deterministic = arguments.deterministic}));
  return gradients;
}

}  // namespace spion

#endif  // SPION_OPS_STABLE_BLOCK_SPARSE_CALLS_H_
