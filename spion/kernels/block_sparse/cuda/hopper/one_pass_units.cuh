// How the one pass for Hopper goes about its work: a list of units, each a block column of one head
// and a block row of a head some way before it, and what passes from columns to rows, dS, in device
// memory.
//
// The list is the same for all thread blocks, and each takes the next unit when it comes to it. A
// unit waits only for units before it, so the first that is not done never waits.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ONE_PASS_UNITS_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ONE_PASS_UNITS_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/hopper/one_pass_plan.h"
#include "spion/kernels/block_sparse/cuda/hopper/units.cuh"
#include "spion/kernels/cuda_hopper/ring.cuh"
#include "spion/kernels/cuda_tiles/instructions.cuh"
#include "spion/kernels/cuda_tiles/warpgroup_instructions.cuh"

namespace spion::cuda::hopper {

/// dS of kept blocks of 128 x 128, from columns to rows, in device memory. A block is 32 KB, tiles
/// of 64 keys x 64 queries as products take them: both of the first keys, then those of the others.
/// There is room for some heads; the next ones' take their place.
struct OnePassExchange {
  char* blocks;
  /// Zero at first: the number of the next unit; then of each head of each example how many columns
  /// and rows are done.
  uint32_t* counters;
  int32_t heads_behind;  // as in OnePassPlan
  int32_t rounds;

  __device__ __forceinline__ uint32_t* NextUnit() const { return counters; }
  __device__ __forceinline__ uint32_t* ColumnsDone(int32_t pair) const {
    return counters + 1 + 2 * pair;
  }
  __device__ __forceinline__ uint32_t* RowsDone(int32_t pair) const {
    return counters + 2 + 2 * pair;
  }
  /// Heads after which others take their place.
  __device__ __forceinline__ int32_t Heads(const BlockSparseProblem& problem) const {
    return rounds * problem.pattern.patterns;
  }
  /// Of the first block of the head's index arrays.
  __device__ __forceinline__ char* BlocksOf(const BlockSparseProblem& problem, int32_t pair) const {
    return blocks +
           pair / problem.pattern.patterns % rounds * (problem.pattern.room * kScoreBlockBytes);
  }
};

/// Of the list: a column of head `pair`, and the row of the same rank in the schedule of head
/// pair - heads_behind, where there are such heads.
struct OnePassUnit {
  BlockLine row;
  BlockLine column;
  int32_t pair;
};

/// Hands units over from the warp that takes them to those that compute, and to one more that hears
/// from them what is done.
class UnitQueue {
  using Slots = Ring<2, 64, ReadBy::kLoads>;

 public:
  static constexpr uint32_t kBytes = 1024;
  static constexpr uint32_t kBarrierBytes = 2 * Slots::kBarrierBytes;

  __device__ __forceinline__ UnitQueue(uint32_t slots, uint32_t barriers)
      : slots_(slots, barriers) {}
  __device__ __forceinline__ void Init(uint32_t warps) const {
    slots_.Init(warps, 1);
    UnitQueue each = *this;
    for (int i = 0; i < 2; ++i) {
      tiles::InitBarrier(each.Done(kColumn), 32 * warps);
      tiles::InitBarrier(each.Done(kRow), 32 * warps);
      each.slots_.Next();
    }
  }

  /// By one thread, and at last EndOfList.
  __device__ __forceinline__ void Put(const OnePassUnit& unit) {
    slots_.WaitUntilFree();
    tiles::StoreShared(slots_.tile(), Words(unit.row));
    tiles::StoreShared(slots_.tile() + 16, Words(unit.column));
    tiles::StoreShared(slots_.tile() + 32, uint4{static_cast<uint32_t>(unit.pair), 0, 0, 0});
    slots_.EndFill();
    slots_.Next();
  }
  static __device__ __forceinline__ OnePassUnit EndOfList() { return {{}, {}, kNone}; }

  /// The next unit; false at the end of the list.
  __device__ __forceinline__ bool Get(OnePassUnit& unit) const {
    slots_.WaitUntilFull();
    unit.row = Line(slots_.tile());
    unit.column = Line(slots_.tile() + 16);
    uint32_t words[2];
    tiles::LoadShared(words, slots_.tile() + 32);
    unit.pair = static_cast<int32_t>(words[0]);
    return unit.pair != kNone;
  }

  // By each warp that computes, of each unit, once the warp has done with what has to do with dS.
  __device__ __forceinline__ void ColumnIsDone() const { tiles::Arrive(Done(kColumn)); }
  __device__ __forceinline__ void RowIsDone() {
    tiles::Arrive(Done(kRow));
    Leave();
  }
  // By the thread that hears of it.
  __device__ __forceinline__ void WaitForColumn() const { slots_.WaitForPhaseOf(Done(kColumn)); }
  __device__ __forceinline__ void WaitForRow() const { slots_.WaitForPhaseOf(Done(kRow)); }
  __device__ __forceinline__ void Leave() {
    slots_.Release();
    slots_.Next();
  }

 private:
  enum Part { kColumn, kRow };
  static constexpr int32_t kNone = -1;

  __device__ __forceinline__ uint32_t Done(Part part) const {
    return slots_.barrier() + Slots::kBarrierBytes + 8 * part;
  }
  static __device__ __forceinline__ uint4 Words(const BlockLine& line) {
    return {static_cast<uint32_t>(line.line), static_cast<uint32_t>(line.begin),
            static_cast<uint32_t>(line.end), static_cast<uint32_t>(line.first)};
  }
  static __device__ __forceinline__ BlockLine Line(uint32_t from) {
    uint32_t words[4];
    tiles::LoadShared(words, from);
    return {static_cast<int32_t>(words[0]), static_cast<int32_t>(words[1]),
            static_cast<int32_t>(words[2]), static_cast<int32_t>(words[3])};
  }

  Slots slots_;
};

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ONE_PASS_UNITS_CUH_
