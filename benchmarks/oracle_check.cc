#include "benchmarks/oracle_check.h"

#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "spion/reference/attention.h"
#include "spion/testing/tolerance.h"

namespace spion {
namespace {

constexpr uint64_t kSeed = 7;
constexpr int64_t kHeads = 2;
constexpr double kMaxScore = 10;  // normal q and k give scores of standard deviation 1

template <typename T>
std::vector<T> Values(const at::Tensor& tensor, at::ScalarType dtype) {
  const at::Tensor host = tensor.detach().to(at::kCPU, dtype).contiguous();
  return {host.const_data_ptr<T>(), host.const_data_ptr<T>() + host.numel()};
}

std::vector<double> Doubles(const at::Tensor& tensor) {
  return Values<double>(tensor, at::kDouble);
}

AttentionTolerance ToleranceOf(at::ScalarType dtype, c10::Device device, int64_t length) {
  if (dtype == at::kFloat && device.is_cpu()) return {.max_score = kMaxScore, .terms = length};
  // bf16 has 8 bits of precision; fp16 and tf32 have 11. Sums are kept in fp32, so that only the
  // factors are rounded, not every addition.
  const double roundoff = dtype == at::kBFloat16 ? 0x1p-9 : 0x1p-11;
  return {.roundoff = roundoff, .max_score = kMaxScore, .terms = 1};
}

absl::Status Compare(absl::string_view what, const at::Tensor& result,
                     const std::vector<double>& reference, double tolerance) {
  const double error = NormError(Values<float>(result, at::kFloat), reference);
  if (error <= tolerance) return absl::OkStatus();
  return absl::InternalError(
      absl::StrFormat("%s is off by %.3g of its norm, allowed is %.3g", what, error, tolerance));
}

}  // namespace

absl::Status CheckAgainstOracle(const AttentionFunction& attention, const BlockPattern& pattern,
                                int64_t head_dim, PrunedScore pruned, at::ScalarType dtype,
                                c10::Device device) {
  const AttentionProblem problem =
      MakeProblem({1, kHeads, pattern.length(), head_dim}, dtype, device, kSeed);
  const at::Tensor out = RunTrainingForward(problem, attention);
  const std::vector<at::Tensor> grads = RunBackward(problem, out);

  const reference::Input input{.batch = 1,
                               .heads = kHeads,
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
  const reference::Gradients expected = reference::Backward(input, Doubles(problem.grad_out));
  const AttentionTolerance tolerance = ToleranceOf(dtype, device, pattern.length());
  const std::vector<double> expected_out = reference::Forward(input).out;
  absl::Status status = Compare("out", out, expected_out, tolerance.forward());
  status.Update(Compare("the inference pass's out", RunForward(problem, attention), expected_out,
                        tolerance.forward()));
  status.Update(Compare("grad_q", grads[0], expected.q, tolerance.backward()));
  status.Update(Compare("grad_k", grads[1], expected.k, tolerance.backward()));
  status.Update(Compare("grad_v", grads[2], expected.v, tolerance.backward()));
  return status;
}

}  // namespace spion
