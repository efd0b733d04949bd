#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "spion/base/parallel.h"
#include "spion/base/status.h"
#include "spion/kernels/block_sparse/api.h"
#include "spion/kernels/block_sparse/cpu/cpu_internal.h"
#include "spion/kernels/block_sparse/cpu/rows.h"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/common/head_tensor.h"
#include "spion/kernels/cpu_simd/instruction_set.h"
#include "spion/kernels/cpu_simd/scratch.h"

namespace spion::cpu {
namespace internal {
namespace {

using RowsFunction = void (*)(const BackwardCall&);

RowsFunction BackwardRowsFor(cpu_simd::InstructionSet set) {
#if defined(__x86_64__)
  if (set == cpu_simd::InstructionSet::kAvx512) return BackwardRowsAvx512;
  if (set == cpu_simd::InstructionSet::kAvx2) return BackwardRowsAvx2;
#endif
  (void)set;
  return BackwardRowsPortable;
}

/// Where the parts of a head's block rows leave their shares of dK and dV. Part 0 writes the
/// gradients themselves, the others blocks of their own, which SumParts adds in the order of parts.
class KeyGradients {
 public:
  KeyGradients(const BlockSparseBackward<float>& call, int64_t parts)
      : call_(call),
        parts_(parts),
        n_(call.problem.pattern.blocks_per_side),
        head_floats_(call.problem.length * call.problem.head_dim),
        heads_(call.problem.batch * call.problem.heads),
        reached_(heads_ * parts * n_, 0),
        extra_(2 * heads_ * (parts - 1) * head_floats_) {}

  Rows<float> grad_k(int64_t head, int64_t part) const { return Of(call_.grad_k, 0, head, part); }
  Rows<float> grad_v(int64_t head, int64_t part) const { return Of(call_.grad_v, 1, head, part); }

  /// Flags [n] of the block columns that a part has written.
  uint8_t* reached(int64_t head, int64_t part) {
    return reached_.data() + (head * parts_ + part) * n_;
  }

  /// Completes block column `column`: adds up the parts, or writes 0 where no query attends.
  void SumParts(int64_t head, int64_t column) {
    if (reached(head, 0)[column] == 0) {
      Clear(BlockOf(grad_k(head, 0), column));
      Clear(BlockOf(grad_v(head, 0), column));
    }
    for (int64_t part = 1; part < parts_; ++part) {
      if (reached(head, part)[column] == 0) continue;
      Add(BlockOf(grad_k(head, part), column), BlockOf(grad_k(head, 0), column));
      Add(BlockOf(grad_v(head, part), column), BlockOf(grad_v(head, 0), column));
    }
  }

 private:
  Rows<float> Of(const HeadTensor<float>& gradient, int64_t which, int64_t head,
                 int64_t part) const {
    if (part == 0) {
      const int64_t heads = call_.problem.heads;
      return {gradient.head(head / heads, head % heads), gradient.row_stride};
    }
    const int64_t index = (head * (parts_ - 1) + part - 1) * 2 + which;
    return {extra_.data() + index * head_floats_, call_.problem.head_dim};
  }

  Rows<float> BlockOf(Rows<float> rows, int64_t column) const {
    return {rows.data + column * call_.problem.block_size * rows.stride, rows.stride};
  }

  void Clear(Rows<float> block) const {
    for (int64_t row = 0; row < call_.problem.block_size; ++row) {
      std::fill_n(block.data + row * block.stride, call_.problem.head_dim, 0.0F);
    }
  }

  void Add(Rows<float> from, Rows<float> to) const {
    for (int64_t row = 0; row < call_.problem.block_size; ++row) {
      for (int64_t i = 0; i < call_.problem.head_dim; ++i) {
        to.data[row * to.stride + i] += from.data[row * from.stride + i];
      }
    }
  }

  const BlockSparseBackward<float>& call_;
  const int64_t parts_;
  const int64_t n_;
  const int64_t head_floats_;
  const int64_t heads_;
  std::vector<uint8_t> reached_;  // [heads][parts][n]
  cpu_simd::Scratch extra_;       // [heads][parts - 1][dK, dV][L, d]
};

}  // namespace

absl::Status Backward(const BlockSparseBackward<float>& call, const ParallelFor& parallel,
                      cpu_simd::InstructionSet set) {
  const BlockSparseProblem& problem = call.problem;
  RETURN_IF_ERROR(Validate(problem));
  const int64_t heads = problem.batch * problem.heads;
  if (heads == 0) return absl::OkStatus();
  const int32_t n = problem.pattern.blocks_per_side;
  // Block rows share dK and dV, so a head is split only when there are fewer heads than threads.
  const int64_t parts = std::clamp<int64_t>((parallel.threads + heads - 1) / heads, 1, n);
  const RowsFunction backward_rows = BackwardRowsFor(set);
  KeyGradients key_gradients(call, parts);

  parallel(heads * parts, [&](int64_t task) {
    const int64_t index = task / parts;
    const int64_t part = task % parts;
    const int64_t batch = index / problem.heads;
    const int64_t head = index % problem.heads;
    const cpu_simd::Scratch scratch(BackwardScratchFloats(problem.block_size, problem.head_dim));
    BackwardCall rows = {.head = HeadOf(problem, call.q, call.k, call.v, batch, head),
                         .row_begin = 0,
                         .row_end = 0,
                         .out = {call.out.head(batch, head), call.out.row_stride},
                         .grad_out = {call.grad_out.head(batch, head), call.grad_out.row_stride},
                         .log_sum_exp = call.log_sum_exp + index * problem.length,
                         .grad_q = {call.grad_q.head(batch, head), call.grad_q.row_stride},
                         .grad_k = key_gradients.grad_k(index, part),
                         .grad_v = key_gradients.grad_v(index, part),
                         .reached = key_gradients.reached(index, part),
                         .scratch = scratch.data()};
    rows.row_begin = FirstRowOfPart(rows.head, n, part, parts);
    rows.row_end = FirstRowOfPart(rows.head, n, part + 1, parts);
    backward_rows(rows);
    if (parts == 1) {
      for (int32_t column = 0; column < n; ++column) key_gradients.SumParts(index, column);
    }
  });
  if (parts > 1) {
    parallel(heads * n, [&](int64_t task) { key_gradients.SumParts(task / n, task % n); });
  }
  return absl::OkStatus();
}

}  // namespace internal

absl::Status Backward(const BlockSparseBackward<float>& call, const ParallelFor& parallel) {
  return internal::Backward(call, parallel, cpu_simd::BestInstructionSet());
}

}  // namespace spion::cpu
