#include <algorithm>
#include <cstdint>

#include "absl/status/status.h"
#include "spion/base/parallel.h"
#include "spion/base/status.h"
#include "spion/kernels/block_sparse/api.h"
#include "spion/kernels/block_sparse/cpu/cpu_internal.h"
#include "spion/kernels/block_sparse/cpu/rows.h"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/cpu_simd/instruction_set.h"
#include "spion/kernels/cpu_simd/scratch.h"

namespace spion::cpu {
namespace internal {
namespace {

using RowsFunction = void (*)(const ForwardCall&);

RowsFunction ForwardRowsFor(cpu_simd::InstructionSet set) {
#if defined(__x86_64__)
  if (set == cpu_simd::InstructionSet::kAvx512) return ForwardRowsAvx512;
  if (set == cpu_simd::InstructionSet::kAvx2) return ForwardRowsAvx2;
#endif
  (void)set;
  return ForwardRowsPortable;
}

}  // namespace

absl::Status Forward(const BlockSparseForward<float>& call, const ParallelFor& parallel,
                     cpu_simd::InstructionSet set) {
  const BlockSparseProblem& problem = call.problem;
  RETURN_IF_ERROR(Validate(problem));
  const int64_t heads = problem.batch * problem.heads;
  if (heads == 0) return absl::OkStatus();
  const int32_t n = problem.pattern.blocks_per_side;
  // Block rows are independent, so any split gives the same bits. Four tasks a thread even out.
  constexpr int64_t kTasksPerThread = 4;
  const int64_t parts =
      std::clamp<int64_t>((kTasksPerThread * parallel.threads + heads - 1) / heads, 1, n);
  const RowsFunction forward_rows = ForwardRowsFor(set);
  parallel(heads * parts, [&](int64_t task) {
    const int64_t batch = task / parts / problem.heads;
    const int64_t head = task / parts % problem.heads;
    const cpu_simd::Scratch scratch(ForwardScratchFloats(problem.block_size, problem.head_dim));
    ForwardCall rows = {.head = HeadOf(problem, call.q, call.k, call.v, batch, head),
                        .row_begin = 0,
                        .row_end = 0,
                        .out = {call.out.head(batch, head), call.out.row_stride},
                        .log_sum_exp = call.log_sum_exp + task / parts * problem.length,
                        .scratch = scratch.data()};
    rows.row_begin = FirstRowOfPart(rows.head, n, task % parts, parts);
    rows.row_end = FirstRowOfPart(rows.head, n, task % parts + 1, parts);
    forward_rows(rows);
  });
  return absl::OkStatus();
}

}  // namespace internal

absl::Status Forward(const BlockSparseForward<float>& call, const ParallelFor& parallel) {
  return internal::Forward(call, parallel, cpu_simd::BestInstructionSet());
}

}  // namespace spion::cpu
