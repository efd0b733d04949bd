// The tensors of one attention problem, and its passes through any implementation.
#ifndef BENCHMARKS_ATTENTION_PROBLEM_H_
#define BENCHMARKS_ATTENTION_PROBLEM_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace spion {

struct AttentionProblem {
  // [B, H, L, d], contiguous; q, k and v require gradients.
  at::Tensor q, k, v, grad_out;
};

/// Called with q, k, v; returns the output, with its gradient function.
using AttentionFunction =
    std::function<at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&)>;

/// Normal numbers, drawn in fp32 on the CPU and rounded to `dtype`: the same on every device.
AttentionProblem MakeProblem(at::IntArrayRef sizes, at::ScalarType dtype, c10::Device device,
                             uint64_t seed);

/// The output, without what a backward pass would need.
at::Tensor RunForward(const AttentionProblem& problem, const AttentionFunction& attention);

/// The output, ready for RunBackward.
at::Tensor RunTrainingForward(const AttentionProblem& problem, const AttentionFunction& attention);

/// The gradients of q, k and v. What they need is kept: `out` can be used again.
std::vector<at::Tensor> RunBackward(const AttentionProblem& problem, const at::Tensor& out);

/// Forward and backward, as in training: what the backward pass needs is freed as it goes. Returns
/// the gradients.
std::vector<at::Tensor> RunBoth(const AttentionProblem& problem,
                                const AttentionFunction& attention);

}  // namespace spion

#endif  // BENCHMARKS_ATTENTION_PROBLEM_H_
