#include <algorithm>
#include <cstdint>

#include "spion/kernels/block_sparse/cpu/cpu_internal.h"
#include "spion/kernels/cpu_simd/key_padding.h"

namespace spion::cpu::internal {
namespace {

Rows<const float> RowsOf(const HeadTensor<const float>& tensor, int64_t batch, int64_t head) {
  return {tensor.head(batch, head), tensor.row_stride};
}

}  // namespace

Head HeadOf(const BlockSparseProblem& problem, const HeadTensor<const float>& q,
            const HeadTensor<const float>& k, const HeadTensor<const float>& v, int64_t batch,
            int64_t head) {
  const BlockPatternView& view = problem.pattern;
  const int64_t pattern = view.patterns == 1 ? 0 : head;
  return {.row_offsets = view.row_offsets + pattern * (view.blocks_per_side + 1),
          .row_columns = view.row_columns,
          .length = problem.length,
          .block_size = static_cast<int32_t>(problem.block_size),
          .head_dim = static_cast<int32_t>(problem.head_dim),
          .scale = problem.scale,
          .pruned_is_zero = problem.pruned == PrunedScore::kZero,
          .padding = cpu_simd::PaddingOf(problem.padding, batch, problem.length),
          .q = RowsOf(q, batch, head),
          .k = RowsOf(k, batch, head),
          .v = RowsOf(v, batch, head)};
}

int32_t FirstRowOfPart(const Head& head, int32_t blocks_per_side, int64_t part, int64_t parts) {
  if (part == parts) return blocks_per_side;
  const int64_t begin = head.row_offsets[0];
  const int64_t kept = head.row_offsets[blocks_per_side] - begin;
  const int32_t* row = std::lower_bound(head.row_offsets, head.row_offsets + blocks_per_side,
                                        static_cast<int32_t>(begin + kept * part / parts));
  return static_cast<int32_t>(row - head.row_offsets);
}

}  // namespace spion::cpu::internal
