// A block-sparse call on owned memory, its result, and what the oracle says to it. For the tests of
// this folder.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CPU_TEST_CALL_H_
#define SPION_KERNELS_BLOCK_SPARSE_CPU_TEST_CALL_H_

#include <cstdint>
#include <vector>

#include "spion/base/parallel.h"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/cpu_simd/instruction_set.h"
#include "spion/pattern/block_pattern.h"
#include "spion/reference/attention.h"
#include "spion/testing/attention_case.h"
#include "spion/testing/pattern_zoo.h"

namespace spion::cpu::internal {

/// How the test lays tensors out.
enum class Layout {
  kHeadMajor,  // [B, H, L, d] without gaps
  kFused,      // q, k, v (and their gradients) in one [B, L, 3, H, d]; out in [B, L, H, d]
  kGaps,       // [B, H, L, d + 4], so rows are not aligned to vectors
};

struct CallResult {
  // [B, H, L, d] without gaps, whatever the layout was.
  std::vector<float> out, grad_q, grad_k, grad_v;
  std::vector<float> log_sum_exp;
  /// Whether every float between and around the tensors' elements was left alone.
  bool gaps_untouched = true;
};

struct TestProblem {
  AttentionCase inputs;
  std::vector<BlockPattern> patterns;  // one, or one a head
  PrunedScore pruned = PrunedScore::kZero;
  Layout layout = Layout::kHeadMajor;
  /// Scores so far apart that nearly every row attends to one key alone. Its gradients of q and k
  /// then cancel to nothing and are judged against the size they have otherwise.
  bool saturated = false;
};

/// The problem as the kernels take it; points into `problem` and `arrays`.
BlockSparseProblem KernelProblem(const TestProblem& problem, const PatternArrays& arrays);

/// Forward and backward, with outputs that hold NaN before.
CallResult RunKernel(const TestProblem& problem, const ParallelFor& parallel,
                     cpu_simd::InstructionSet set);

struct OracleResult {
  reference::Output output;
  reference::Gradients gradients;
};

OracleResult RunOracle(const TestProblem& problem);

/// Expects all results within tolerance of the oracle's.
void ExpectNear(const CallResult& result, const OracleResult& oracle, const TestProblem& problem);

}  // namespace spion::cpu::internal

#endif  // SPION_KERNELS_BLOCK_SPARSE_CPU_TEST_CALL_H_
