// Whether an implementation of attention computes what it should: asked before it is timed.
#ifndef BENCHMARKS_ORACLE_CHECK_H_
#define BENCHMARKS_ORACLE_CHECK_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "absl/status/status.h"
#include "benchmarks/attention_problem.h"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/pattern/block_pattern.h"

namespace spion {

/// Whether `attention` agrees with the double oracle in output and gradients, on one example with
/// two heads. The oracle sees the inputs as rounded to `dtype`; the bound follows from the
/// precision that the dtype is computed in there: fp32 on a GPU may be tf32.
/// Errors: Internal, with the worst figure. Throws what `attention` throws.
absl::Status CheckAgainstOracle(const AttentionFunction& attention, const BlockPattern& pattern,
                                int64_t head_dim, PrunedScore pruned, at::ScalarType dtype,
                                c10::Device device);

}  // namespace spion

#endif  // BENCHMARKS_ORACLE_CHECK_H_
