// The ways of a group through a line's blocks. Forward it is a row, whose blocks end where padding
// begins; backward a row and then a column, of which some are passed over: two iterators, as
// passing over costs a loop a step.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_STEPS_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_STEPS_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/cuda_tiles/instructions.cuh"

namespace spion::cuda {

/// The blocks of a row that lie below a limit.
template <int kBlock>
class RowSteps {
 public:
  static constexpr int32_t kDone = -1;

  /// Every parts-th block, from the part-th on.
  __device__ __forceinline__ RowSteps(const BlockLine& row, const int32_t* row_columns,
                                      int32_t key_limit, int32_t part, int32_t parts)
      : columns_(row_columns),
        at_(row.begin + part),
        end_(row.end),
        parts_(parts),
        key_limit_(key_limit),
        ahead_(part == 0 ? row.first : ReadAhead()) {}

  /// The first key of the next block.
  __device__ __forceinline__ int32_t Next() {
    const int32_t key = ahead_ * kBlock;
    if (at_ >= end_ || key >= key_limit_) return kDone;  // columns ascend
    at_ += parts_;
    ahead_ = ReadAhead();  // a whole step before its use
    return key;
  }

 private:
  __device__ __forceinline__ int32_t ReadAhead() const { return at_ < end_ ? columns_[at_] : 0; }

  const int32_t* columns_;
  int32_t at_;
  int32_t end_;
  int32_t parts_;
  int32_t key_limit_;
  int32_t ahead_;
};

/// The blocks of a line, one after the other: those of its row, then those of its column.
template <int kBlock, bool kDiagonalOnce>
class LineSteps {
 public:
  struct Step {
    int32_t block;
    bool is_row;
  };
  static constexpr int32_t kDone = -1;

  /// Every parts-th block, from the part-th on. Blocks of the row at and after `key_limit` are left
  /// out, and the whole column if it is. kDiagonalOnce: the diagonal block comes with the row only.
  __device__ __forceinline__ LineSteps(const BlockLine& row, const BlockLine& column,
                                       const BlockPatternView& pattern, int32_t key_limit,
                                       int32_t part, int32_t parts)
      : row_columns_(pattern.row_columns + row.begin),
        column_rows_(pattern.column_rows + column.begin),
        line_(row.line),
        in_row_(row.end - row.begin),
        all_(in_row_ + (row.line * kBlock < key_limit ? column.end - column.begin : 0)),
        key_limit_(key_limit),
        parts_(parts),
        at_(part),
        ahead_(part > 0      ? ReadAhead()
               : in_row_ > 0 ? row.first
                             : column.first) {}

  __device__ __forceinline__ Step Next() {
    while (at_ < all_) {
      const int32_t index = ahead_;
      const bool is_row = at_ < in_row_;
      at_ += parts_;
      ahead_ = ReadAhead();  // a whole step before its use
      if (is_row ? index * kBlock < key_limit_ : !kDiagonalOnce || index != line_) {
        return {index, is_row};
      }
    }
    return {kDone, false};
  }

 private:
  __device__ __forceinline__ int32_t ReadAhead() const {
    if (at_ >= all_) return 0;
    return at_ < in_row_ ? row_columns_[at_] : column_rows_[at_ - in_row_];
  }

  const int32_t* row_columns_;
  const int32_t* column_rows_;
  int32_t line_;
  int32_t in_row_;
  int32_t all_;
  int32_t key_limit_;
  int32_t parts_;
  int32_t at_;
  int32_t ahead_;
};

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_STEPS_CUH_
