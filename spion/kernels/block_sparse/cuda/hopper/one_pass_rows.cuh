// A block row in the one pass for Hopper: dQ, of dS as the columns have left it.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ONE_PASS_ROWS_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ONE_PASS_ROWS_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/hopper/one_pass_traits.cuh"

namespace spion::cuda::hopper {

/// The place of `number` among ascending ones at [begin, end), where it is.
__device__ __forceinline__ int32_t PlaceOf(int32_t number, const int32_t* numbers, int32_t begin,
                                           int32_t end) {
  while (begin < end) {
    const int32_t middle = (begin + end) / 2;
    if (numbers[middle] < number) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

/// A warp's work: brings the tiles of a row's first `kept` blocks, when the columns are done. Calls
/// between() as soon as the ring is full of them, or at last.
template <typename T, class Traits, class Between>
__device__ __forceinline__ void CopyRow(const OnePassArguments<T>& arguments, const Unit& unit,
                                        int32_t pair, int32_t kept, typename Traits::Rings& rings,
                                        Between&& between) {
  constexpr int32_t kLanes = 32;
  constexpr int32_t kFirst = Traits::kStages / 2;
  using HalfKeys = typename Traits::HalfKeys;
  using HalfScores = typename Traits::HalfScores;
  const BlockPatternView& pattern = arguments.call.problem.pattern;
  auto& ring = rings.steps;
  const auto lane = static_cast<int32_t>(threadIdx.x) % kLanes;
  const BlockLine& line = unit.line;
  const char* blocks = arguments.exchange.BlocksOf(arguments.call.problem, pair);
  const int32_t* offsets = pattern.column_offsets +
                           (pattern.patterns > 1 ? unit.head * (pattern.blocks_per_side + 1) : 0);
  tiles::WaitForCount(arguments.exchange.ColumnsDone(pair), pattern.blocks_per_side);
#pragma unroll 1
  for (int32_t i = 0; i < kept; i += kLanes) {
    int32_t column = 0;
    int32_t place = 0;  // where the column has the row
    if (i + lane < kept) {
      column = pattern.row_columns[line.begin + i + lane];
      place = PlaceOf(line.line, pattern.column_rows, offsets[column], offsets[column + 1]);
    }
    const int32_t count = min(kept - i, kLanes);
#pragma unroll 1
    for (int32_t j = 0; j < count; ++j) {
      const int32_t key = __shfl_sync(tiles::kAllLanes, column, j) * Traits::kBlock;
      const int32_t place_j = __shfl_sync(tiles::kAllLanes, place, j);
      if (lane == 0) {
        const char* from = blocks + place_j * kScoreBlockBytes;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          ring.BeginFill(HalfKeys::kBytes + HalfScores::kBytes);
          tiles::CopyTile(ring.tile(), arguments.half_k, ring.barrier(), key + half * kGroupRows,
                          unit.head, unit.example);
          tiles::CopyBulk(ring.tile() + HalfKeys::kBytes, from + half * HalfScores::kBytes,
                          HalfScores::kBytes, ring.barrier());
          ring.Next();
        }
      }
      if (i + j + 1 == kFirst) between();
    }
  }
  if (kept < kFirst) between();
}

/// dQ / scale of a warpgroup's 64 queries of a row.
template <typename T, class Traits, int kHeadDim>
__device__ __forceinline__ void TakeRow(float (&grad_q)[kHeadDim / 2], int32_t kept,
                                        const typename Traits::Place& place,
                                        typename Traits::Rings& rings) {
  using HalfKeys = typename Traits::HalfKeys;
  using HalfScores = typename Traits::HalfScores;
  auto& ring = rings.steps;
  uint32_t left = 0;  // the barrier of the stage that the product under way reads
#pragma unroll 1
  for (int32_t step = 0; step < 2 * kept; ++step) {
    ring.WaitUntilFull();
    const uint32_t keys = ring.tile();
    const uint32_t scores = keys + HalfKeys::kBytes + place.group() * HalfScores::kPanelBytes;
    tiles::BeginProducts();
#pragma unroll
    for (int i = 0; i < kGroupRows / kStep; ++i) {
      tiles::Product<T, true, tiles::Adds::kYes, true>(
          grad_q, HalfScores::AlongColumns(scores, 0, i), HalfKeys::AlongColumns(keys, 0, i));
    }
    tiles::CommitProducts();
    tiles::WaitForProducts<1>();
    if (left != 0) ring.ReleaseStage(left);
    left = ring.barrier();
    ring.Next();
  }
  tiles::WaitForProducts<0>();
  tiles::Receive(grad_q);
  ring.ReleaseStage(left);
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ONE_PASS_ROWS_CUH_
