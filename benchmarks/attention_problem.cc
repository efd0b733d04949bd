#include "benchmarks/attention_problem.h"

#include <ATen/ops/from_blob.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include "spion/base/random.h"
#include "spion/testing/seed.h"

namespace spion {

AttentionProblem MakeProblem(at::IntArrayRef sizes, at::ScalarType dtype, c10::Device device,
                             uint64_t seed) {
  Random random(seed);
  int64_t count = 1;
  for (const int64_t size : sizes) count *= size;
  const auto normal = [&] {
    std::vector<float> values = NormalVector(count, 1.0, random);
    return at::from_blob(values.data(), sizes, at::kFloat).to(device, dtype, false, /*copy=*/true);
  };
  AttentionProblem problem{.q = normal(), .k = normal(), .v = normal(), .grad_out = normal()};
  for (at::Tensor* tensor : {&problem.q, &problem.k, &problem.v}) tensor->requires_grad_();
  return problem;
}

at::Tensor RunForward(const AttentionProblem& problem, const AttentionFunction& attention) {
  const c10::NoGradGuard no_grad;
  return attention(problem.q, problem.k, problem.v);
}

at::Tensor RunTrainingForward(const AttentionProblem& problem, const AttentionFunction& attention) {
  return attention(problem.q, problem.k, problem.v);
}

std::vector<at::Tensor> RunBackward(const AttentionProblem& problem, const at::Tensor& out) {
  return torch::autograd::grad({out}, {problem.q, problem.k, problem.v}, {problem.grad_out},
                               /*retain_graph=*/true);
}

std::vector<at::Tensor> RunBoth(const AttentionProblem& problem,
                                const AttentionFunction& attention) {
  return torch::autograd::grad({attention(problem.q, problem.k, problem.v)},
                               {problem.q, problem.k, problem.v}, {problem.grad_out},
                               /*retain_graph=*/false);
}

}  // namespace spion
