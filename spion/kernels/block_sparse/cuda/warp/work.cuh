// What a warp works on, and its way through a pattern's blocks.
//
// Work is cut into units: 16 or 32 rows (or columns) of one head of one example. A unit belongs to
// one warp, which walks the kept blocks of its line; a unit of a long line belongs to a whole
// thread block, whose warps take the blocks in turn and then join their sums (join.cuh).
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_WARP_WORK_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_WARP_WORK_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/common/heads.cuh"
#include "spion/kernels/block_sparse/cuda/warp/traits.h"
#include "spion/kernels/block_sparse/problem.h"

namespace spion::cuda {

/// One warp's share of the head blockIdx.y of example blockIdx.z.
struct Unit {
  int32_t rank;     // of its line in the schedule
  int32_t in_line;  // 0 .. units a line
  int32_t part;     // of `parts`
  int32_t parts;    // warps that share this unit: kWarps, in all warps of a thread block, or 1
  bool exists;      // the last thread block of a head may have warps without work

  /// 2^log2_units units a line.
  __device__ __forceinline__ Unit(int32_t lines, int32_t long_lines, int log2_units) {
    const auto block = static_cast<int32_t>(blockIdx.x);
    const int32_t warp = static_cast<int32_t>(threadIdx.x) / 32;
    const int32_t long_units = long_lines << log2_units;
    const bool is_long = block < long_units;
    const int32_t unit = is_long ? block : long_units + (block - long_units) * kWarps + warp;
    rank = unit >> log2_units;
    in_line = unit & ((1 << log2_units) - 1);
    part = is_long ? warp : 0;
    parts = is_long ? kWarps : 1;
    exists = rank < lines;
  }
};

/// Walks a line's kept blocks in steps of kRows positions: all blocks, or the unit's part of them.
template <int kRows>
class Walk {
 public:
  static constexpr int32_t kDone = -1;

  /// Positions at and after `limit` are left out; indices ascend.
  __device__ __forceinline__ Walk(const BlockLine& line, const int32_t* indices, const Unit& unit,
                                  int32_t block_size, int32_t limit)
      : indices_(indices),
        block_(line.begin + unit.part),
        end_(line.end),
        parts_(unit.parts),
        block_size_(block_size),
        limit_(limit) {
    const int32_t first = unit.part == 0 ? line.first : IndexAt(block_);
    next_ = IndexAt(block_ + parts_);
    Enter(first);
  }

  /// kDone after the last step.
  __device__ __forceinline__ int32_t position() const { return position_; }

  __device__ __forceinline__ void Advance() {
    position_ += kRows;
    if (position_ < block_end_) return;
    block_ += parts_;
    const int32_t index = next_;
    next_ = IndexAt(block_ + parts_);  // read a whole block ahead of its use
    Enter(index);
  }

 private:
  __device__ __forceinline__ int32_t IndexAt(int32_t block) const {
    return block < end_ ? indices_[block] : 0;
  }
  __device__ __forceinline__ void Enter(int32_t index) {
    position_ = index * block_size_;
    block_end_ = min(position_ + block_size_, limit_);
    if (block_ >= end_ || position_ >= limit_) {
      position_ = kDone;
      block_end_ = INT32_MIN;  // stays done
      block_ = end_;
    }
  }

  const int32_t* indices_;
  int32_t block_;
  int32_t end_;
  int32_t parts_;
  int32_t block_size_;
  int32_t limit_;
  int32_t next_ = 0;
  int32_t position_ = 0;
  int32_t block_end_ = 0;
};

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_WARP_WORK_CUH_
