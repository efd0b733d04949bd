// The attention problems that benchmarks run: LibTorch tensors of one shape and pattern, and the
// check of every implementation against the oracle before it is timed.
#ifndef BENCHMARKS_ATTENTION_PROBLEM_H_
#define BENCHMARKS_ATTENTION_PROBLEM_H_

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "spion/kernels/block_sparse/api.h"
#include "spion/pattern/block_pattern.h"

namespace spion {

struct AttentionProblem {
  std::string name;  // "L4096_b64_k123"
  BlockPattern pattern;
  // [B, H, L, d]; q, k and v require gradients.
  at::Tensor q, k, v, grad_out;
};

/// Called with q, k, v; returns the output, with its gradient function.
using AttentionFunction =
    std::function<at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&)>;

/// The diagonal and random blocks, `kept` in all, as SPION-C keeps.
BlockPattern RandomPattern(int blocks_per_side, int block_size, int kept, uint64_t seed);

AttentionProblem MakeProblem(std::string name, const BlockPattern& pattern, int64_t batch,
                             int64_t heads, int64_t head_dim, uint64_t seed);

/// Whether `attention` agrees with the double oracle in output and gradients on a problem of the
/// given pattern with one example and one head. Errors: Internal, with the worst figure.
absl::Status CheckAgainstOracle(const AttentionFunction& attention, const BlockPattern& pattern,
                                int64_t head_dim, PrunedScore pruned);

}  // namespace spion

#endif  // BENCHMARKS_ATTENTION_PROBLEM_H_
