// Who does which lines of the pattern. The grid stays: as many thread blocks as the GPU holds, in
// each one or more teams, a team being the warpgroups that share a line, or a part of one. A unit
// is such a part of one head of one example; units are numbered head by head, longest lines first.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_UNITS_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_UNITS_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/common/head_tensor.h"
#include "spion/kernels/cuda_tiles/valid_keys.cuh"
#include "spion/kernels/cuda_tiles/warpgroup_instructions.cuh"

namespace spion::cuda::hopper {

struct Unit {
  BlockLine line = {};
  int32_t part = 0;  // of the line's
  int32_t head = 0;
  int32_t example = 0;

  /// The head's first row in [B, H, L].
  __device__ __forceinline__ int64_t FirstRow(const BlockSparseProblem& problem) const {
    return (example * problem.heads + head) * problem.length;
  }
  template <typename T>
  __device__ __forceinline__ T* HeadOf(const HeadTensor<T>& tensor) const {
    return tensor.data + example * tensor.batch_stride + head * tensor.head_stride;
  }
  __device__ __forceinline__ tiles::ValidKeys Keys(const BlockSparseProblem& problem) const {
    return {problem.padding, static_cast<int32_t>(problem.length), example};
  }
};

/// A line of head `pair` of B H.
__device__ __forceinline__ Unit UnitOf(const BlockSparseProblem& problem, int32_t pair,
                                       const BlockLine& line) {
  const auto heads = static_cast<int32_t>(problem.heads);
  return {.line = line, .head = pair % heads, .example = pair / heads};
}

/// A team's units, of lines in kParts parts: one of every round of as many units as there are
/// teams. Rounds are taken up from the first team on or from the last, by the Thue-Morse sequence,
/// which shares out what falls or rises along a round most evenly.
template <int kParts>
class Units {
 public:
  /// Lines of the schedule are `stride` apart.
  __device__ __forceinline__ Units(const BlockSparseProblem& problem, const BlockLine* schedule,
                                   uint32_t stride, uint32_t team, uint32_t teams)
      : schedule_(schedule),
        stride_(stride),
        lines_(static_cast<uint32_t>(problem.pattern.blocks_per_side)),
        heads_(static_cast<uint32_t>(problem.heads)),
        all_(static_cast<uint32_t>(problem.batch * problem.heads) * lines_ * kParts),
        pattern_per_head_(problem.pattern.patterns > 1),
        teams_(teams),
        team_(team) {
    ReadAhead();
  }

  /// False after the last one.
  __device__ __forceinline__ bool Next(Unit& unit) {
    if (!any_ahead_) return false;
    unit = ahead_;
    ReadAhead();
    return true;
  }

 private:
  /// A whole unit before its use.
  __device__ __forceinline__ void ReadAhead() {
    any_ahead_ = false;
    for (; round_ * teams_ < all_ && !any_ahead_; ++round_) {
      const bool from_last = __popc(round_) % 2 != 0;
      const uint32_t number = round_ * teams_ + (from_last ? teams_ - 1 - team_ : team_);
      if (number >= all_) continue;
      const uint32_t line = number / kParts;
      const uint32_t pair = line / lines_;
      const uint32_t head = pair % heads_;
      const uint32_t rank = line % lines_;
      ahead_ = {schedule_[stride_ * (pattern_per_head_ ? int64_t{head} * lines_ + rank : rank)],
                static_cast<int32_t>(number % kParts), static_cast<int32_t>(head),
                static_cast<int32_t>(pair / heads_)};
      any_ahead_ = true;
    }
  }

  const BlockLine* schedule_;
  uint32_t stride_;
  uint32_t lines_;
  uint32_t heads_;
  uint32_t all_;
  bool pattern_per_head_;
  uint32_t teams_;
  uint32_t team_;
  uint32_t round_ = 0;
  Unit ahead_;
  bool any_ahead_;
};

/// How many of a row's blocks begin below `limit`; columns ascend.
__device__ __forceinline__ int32_t BlocksBelow(const BlockLine& row, const int32_t* row_columns,
                                               int32_t block_size, int32_t limit, int32_t length) {
  int32_t count = row.end - row.begin;
  if (limit >= length) return count;
  int32_t first = 0;
  while (first < count) {
    const int32_t middle = (first + count) / 2;
    if (row_columns[row.begin + middle] * block_size < limit) {
      first = middle + 1;
    } else {
      count = middle;
    }
  }
  return count;
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_UNITS_CUH_
