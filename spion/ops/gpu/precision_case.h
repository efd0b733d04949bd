// An attention problem in one precision: its inputs rounded to the precision's element type, as
// tensors on a device, and the oracle's answer to exactly these inputs.
//
//   PrecisionCase c = MakePrecisionCase(TestPrecision::kBf16, shape, CasePadding::kLengths,
//                                       /*deviation=*/1, TestSeed(7), {pattern},
//                                       PrunedScore::kZero);
//   AttentionResult ours = RunOperator(c, device);
//   AttentionTruth truth = RunOracle(c);
#ifndef SPION_OPS_GPU_PRECISION_CASE_H_
#define SPION_OPS_GPU_PRECISION_CASE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "spion/kernels/block_sparse/problem.h"
#include "spion/ops/gpu/precision.h"
#include "spion/pattern/block_pattern.h"
#include "spion/testing/attention_case.h"

namespace spion {

/// "PrunedIsZero", "PrunedExcluded".
const char* Name(PrunedScore pruned);

struct PrecisionCase {
  AttentionCase inputs;                // values that the precision's element type holds exactly
  std::vector<BlockPattern> patterns;  // one, or one a head
  PrunedScore pruned;
  TestPrecision precision;
};

PrecisionCase MakePrecisionCase(TestPrecision precision, const AttentionShape& shape,
                                CasePadding padding, double deviation, uint64_t seed,
                                std::vector<BlockPattern> patterns, PrunedScore pruned);

/// Rounds every value of the inputs to what the precision's element type can hold.
void RoundInputs(PrecisionCase& c);

struct CaseTensors {
  at::Tensor q, k, v;   // [B, H, L, d], leaves that require gradients
  at::Tensor grad_out;  // [B, H, L, d], laid out in memory as [B, L, H, d] like the output
  std::optional<at::Tensor> padding;
};

CaseTensors ToTensors(const PrecisionCase& c, c10::Device device);

struct AttentionResult {
  at::Tensor out, grad_q, grad_k, grad_v;
};

/// Called with q, k and v; returns the output.
using AttentionCall =
    std::function<at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&)>;

/// Output and gradients of `attention`.
AttentionResult ForwardAndBackward(const AttentionCall& attention, const CaseTensors& tensors);

/// Forward and backward of the operator of spion/ops/block_sparse_attention.h.
AttentionResult RunOperator(const PrecisionCase& c, c10::Device device, bool deterministic = true);

/// Whether all four tensors are the same, bit by bit (a NaN is not the same as itself).
bool SameBits(const AttentionResult& a, const AttentionResult& b);

struct AttentionTruth {
  std::vector<double> out, grad_q, grad_k, grad_v;  // [B, H, L, d]
};

/// The oracle, heads in parallel on all processors.
AttentionTruth RunOracle(const PrecisionCase& c);

/// The oracle's mean attention map, [L, L], likewise.
std::vector<double> OracleMap(const PrecisionCase& c);

/// A tensor's values as floats on the host, without gaps.
std::vector<float> HostFloats(const at::Tensor& tensor);

}  // namespace spion

#endif  // SPION_OPS_GPU_PRECISION_CASE_H_
