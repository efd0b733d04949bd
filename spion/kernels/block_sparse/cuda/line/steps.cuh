// The way of a group through a line's blocks: LineSteps, along one of two walks. Forward it is a
// row, which ends where padding begins; backward a row and then a column, of which some blocks are
// passed over.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_STEPS_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_STEPS_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/cuda_tiles/instructions.cuh"

namespace spion::cuda {

/// A block on the way.
struct LineStep {
  static constexpr int32_t kDone = -1;

  int32_t first;  // key of a row's block, query of a column's; kDone after the last
  bool is_row;
};

/// The blocks of a row that lie below `key_limit`.
class RowWalk {
 public:
  __device__ __forceinline__ RowWalk(const BlockLine& row, const BlockPatternView& pattern,
                                     int32_t key_limit)
      : columns_(pattern.row_columns),
        begin_(row.begin),
        end_(row.end),
        first_block_(row.first),
        key_limit_(key_limit) {}

  __device__ __forceinline__ int32_t begin() const { return begin_; }
  __device__ __forceinline__ int32_t end() const { return end_; }
  __device__ __forceinline__ int32_t first_block() const { return first_block_; }
  __device__ __forceinline__ int32_t BlockAt(int32_t at) const { return columns_[at]; }
  __device__ __forceinline__ static bool IsRow(int32_t /*at*/) { return true; }

  /// Columns ascend, so nothing is passed over, which would cost a loop a step.
  __device__ __forceinline__ bool EndsBefore(const LineStep& step) const {
    return step.first >= key_limit_;
  }
  __device__ __forceinline__ static bool PassesOver(const LineStep& /*step*/) { return false; }

 private:
  const int32_t* columns_;
  int32_t begin_;
  int32_t end_;
  int32_t first_block_;
  int32_t key_limit_;
};

/// The blocks of a row, then those of the column that begins at `diagonal`. Blocks of the row at
/// and after `key_limit` are left out, and the whole column if it is. kDiagonalOnce: the diagonal
/// block comes with the row only.
template <bool kDiagonalOnce>
class RowAndColumnWalk {
 public:
  __device__ __forceinline__ RowAndColumnWalk(const BlockLine& row, const BlockLine& column,
                                              const BlockPatternView& pattern, int32_t diagonal,
                                              int32_t key_limit)
      : row_columns_(pattern.row_columns + row.begin),
        column_rows_(pattern.column_rows + column.begin),
        diagonal_(diagonal),
        in_row_(row.end - row.begin),
        end_(in_row_ + (diagonal < key_limit ? column.end - column.begin : 0)),
        first_block_(in_row_ > 0 ? row.first : column.first),
        key_limit_(key_limit) {}

  __device__ __forceinline__ static int32_t begin() { return 0; }
  __device__ __forceinline__ int32_t end() const { return end_; }
  __device__ __forceinline__ int32_t first_block() const { return first_block_; }
  __device__ __forceinline__ int32_t BlockAt(int32_t at) const {
    return IsRow(at) ? row_columns_[at] : column_rows_[at - in_row_];
  }
  __device__ __forceinline__ bool IsRow(int32_t at) const { return at < in_row_; }

  __device__ __forceinline__ static bool EndsBefore(const LineStep& /*step*/) { return false; }
  __device__ __forceinline__ bool PassesOver(const LineStep& step) const {
    return step.is_row ? step.first >= key_limit_ : kDiagonalOnce && step.first == diagonal_;
  }

 private:
  const int32_t* row_columns_;
  const int32_t* column_rows_;
  int32_t diagonal_;
  int32_t in_row_;
  int32_t end_;
  int32_t first_block_;
  int32_t key_limit_;
};

/// Every parts-th block of a walk, from the part-th on.
template <int kBlock, class Walk>
class LineSteps {
 public:
  __device__ __forceinline__ LineSteps(const Walk& walk, int32_t part, int32_t parts)
      : walk_(walk),
        at_(walk.begin() + part),
        parts_(parts),
        ahead_(part == 0 ? walk.first_block() : ReadAhead()) {}

  __device__ __forceinline__ LineStep Next() {
    LineStep step;
    do {
      step = {ahead_ * kBlock, walk_.IsRow(at_)};
      if (at_ >= walk_.end() || walk_.EndsBefore(step)) {
        step = {LineStep::kDone, false};
        break;
      }
      at_ += parts_;
      ahead_ = ReadAhead();  // a whole step before its use
    } while (walk_.PassesOver(step));
    return step;
  }

 private:
  __device__ __forceinline__ int32_t ReadAhead() const {
    return at_ < walk_.end() ? walk_.BlockAt(at_) : 0;
  }

  Walk walk_;
  int32_t at_;
  int32_t parts_;
  int32_t ahead_;
};

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_STEPS_CUH_
