#include "benchmarks/attention_problem.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/randn_like.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "spion/base/random.h"
#include "spion/reference/attention.h"
#include "spion/testing/seed.h"
#include "spion/testing/tolerance.h"

namespace spion {
namespace {

at::Tensor Normal(at::IntArrayRef sizes, Random& random) {
  int64_t count = 1;
  for (int64_t size : sizes) count *= size;
  std::vector<float> values = NormalVector(count, 1.0, random);
  return at::from_blob(values.data(), sizes, at::kFloat).clone();
}

std::vector<double> Doubles(const at::Tensor& tensor) {
  const at::Tensor host = tensor.detach().to(at::kCPU, at::kDouble).contiguous();
  return {host.const_data_ptr<double>(), host.const_data_ptr<double>() + host.numel()};
}

absl::Status Compare(absl::string_view what, const at::Tensor& result,
                     const std::vector<double>& reference, double tolerance) {
  const at::Tensor host = result.detach().to(at::kCPU, at::kFloat).contiguous();
  const double error =
      NormError({host.const_data_ptr<float>(), static_cast<size_t>(host.numel())}, reference);
  if (error <= tolerance) return absl::OkStatus();
  return absl::InternalError(
      absl::StrFormat("%s is off by %.3g of its norm, allowed is %.3g", what, error, tolerance));
}

}  // namespace

BlockPattern RandomPattern(int blocks_per_side, int block_size, int kept, uint64_t seed) {
  std::vector<Block> off_diagonal;
  for (int32_t row = 0; row < blocks_per_side; ++row) {
    for (int32_t column = 0; column < blocks_per_side; ++column) {
      if (row != column) off_diagonal.push_back({row, column});
    }
  }
  Random(seed).Shuffle(absl::MakeSpan(off_diagonal));
  off_diagonal.resize(std::max(kept - blocks_per_side, 0));
  return BlockPattern::FromBlocks(blocks_per_side, block_size, off_diagonal).value();
}

AttentionProblem MakeProblem(std::string name, const BlockPattern& pattern, int64_t batch,
                             int64_t heads, int64_t head_dim, uint64_t seed) {
  Random random(seed);
  const std::vector<int64_t> sizes = {batch, heads, pattern.length(), head_dim};
  AttentionProblem problem{.name = std::move(name),
                           .pattern = pattern,
                           .q = Normal(sizes, random),
                           .k = Normal(sizes, random),
                           .v = Normal(sizes, random),
                           .grad_out = Normal(sizes, random)};
  for (at::Tensor* tensor : {&problem.q, &problem.k, &problem.v}) tensor->requires_grad_();
  return problem;
}

absl::Status CheckAgainstOracle(const AttentionFunction& attention, const BlockPattern& pattern,
                                int64_t head_dim, PrunedScore pruned) {
  const AttentionProblem problem = MakeProblem("check", pattern, 1, 1, head_dim, /*seed=*/7);
  const at::Tensor out = attention(problem.q, problem.k, problem.v);
  out.backward(problem.grad_out);

  const reference::Input input{.batch = 1,
                               .heads = 1,
                               .length = pattern.length(),
                               .head_dim = head_dim,
                               .scale = 1 / std::sqrt(static_cast<double>(head_dim)),
                               .pruned = pruned,
                               .patterns = {pattern},
                               .lengths = {},
                               .valid = {},
                               .q = Doubles(problem.q),
                               .k = Doubles(problem.k),
                               .v = Doubles(problem.v)};
  const reference::Gradients gradients = reference::Backward(input, Doubles(problem.grad_out));
  const AttentionTolerance tolerance{.max_score = 10, .terms = pattern.length()};
  absl::Status status = Compare("out", out, reference::Forward(input).out, tolerance.forward());
  status.Update(Compare("grad_q", problem.q.grad(), gradients.q, tolerance.backward()));
  status.Update(Compare("grad_k", problem.k.grad(), gradients.k, tolerance.backward()));
  status.Update(Compare("grad_v", problem.v.grad(), gradients.v, tolerance.backward()));
  return status;
}

}  // namespace spion
