#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "spion/base/status.h"
#include "spion/kernels/block_sparse/api.h"
#include "spion/kernels/block_sparse/block_size.h"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/common/attention_checks.h"

namespace spion {
namespace {

absl::Status CheckSizes(const BlockSparseProblem& problem) {
  RETURN_IF_ERROR(CheckHeads(problem.batch, problem.heads));
  RETURN_IF_ERROR(CheckHeadDim(problem.head_dim));
  const int64_t b = problem.block_size;
  if (!TakesBlockSize(b)) {
    return absl::InvalidArgumentError(
        absl::StrCat("block size ", b, " is not supported: use ", kBlockSizes));
  }
  if (problem.length < 1 || problem.length % b != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("length ", problem.length, " is not a positive multiple of the block size ", b,
                     ": pad the sequence to a multiple and mark the added keys as padding"));
  }
  return CheckScale(problem.scale);
}

absl::Status CheckPattern(const BlockSparseProblem& problem) {
  const BlockPatternView& view = problem.pattern;
  if (int64_t{view.blocks_per_side} * problem.block_size != problem.length) {
    return absl::InvalidArgumentError(
        absl::StrCat("a pattern of ", view.blocks_per_side, " blocks of ", problem.block_size,
                     " a side does not cover length ", problem.length, ": make it for ",
                     problem.length / problem.block_size, " blocks a side"));
  }
  if (view.patterns != 1 && view.patterns != problem.heads) {
    return absl::InvalidArgumentError(absl::StrCat(view.patterns, " patterns for ", problem.heads,
                                                   " heads: give 1 for all or one a head"));
  }
  if (view.row_offsets == nullptr || view.row_columns == nullptr ||
      view.column_offsets == nullptr || view.column_rows == nullptr) {
    return absl::InvalidArgumentError(
        "the pattern lacks one of row_offsets, row_columns, column_offsets and column_rows: set "
        "all four, the row and the column view of the same blocks");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Validate(const BlockSparseProblem& problem) {
  if (absl::Status status = CheckSizes(problem); !status.ok()) return status;
  if (absl::Status status = CheckPattern(problem); !status.ok()) return status;
  if (problem.padding.lengths != nullptr && problem.padding.valid != nullptr) {
    return absl::InvalidArgumentError(
        "key padding is given both as lengths and as a mask: give one of the two");
  }
  return absl::OkStatus();
}

}  // namespace spion
