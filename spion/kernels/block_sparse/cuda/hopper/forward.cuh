// The forward kernel for Hopper. A line is a block row.
//
//   load Q -> for each 64 keys of a kept block: S = Q K^T, online softmax, O += P V -> O / Z, log Z
//
// S of the next keys is under way while O takes up these, and the softmax of one warpgroup while
// the others multiply. At head dimension 128 with blocks of 128 two warpgroups see to that by
// turns: they are a team, which has a whole line and shares its tiles. Elsewhere a team is one
// warpgroup, a unit 64 queries: on its own it waits for nobody when it comes to the next.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_FORWARD_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_FORWARD_CUH_

#include <cstdint>
#include <type_traits>

#include "spion/kernels/block_sparse/cuda/hopper/softmax.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/teams.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/units.cuh"
#include "spion/kernels/cuda_hopper/mask_keys.cuh"
#include "spion/kernels/cuda_hopper/ring.cuh"
#include "spion/kernels/cuda_hopper/tiles.cuh"
#include "spion/kernels/cuda_tiles/exponent.cuh"

namespace spion::cuda::hopper {

template <typename T>
struct ForwardArguments {
  BlockSparseForward<T> call;
  tiles::TileMap q, k, v;
};

template <int kHeadDim, int kBlock>
using ForwardTeams = std::conditional_t<kHeadDim == 128 && kBlock == 128, Teams<1, 2>,
                                        Teams<kHeadDim == 64 ? 3 : 2, 1>>;

template <int kHeadDim, int kBlockSize>
struct ForwardTraits : ForwardTeams<kHeadDim, kBlockSize> {
  static constexpr int kBlock = kBlockSize;
  static constexpr int kTileRows = ForwardTraits::kTeamGroups * kGroupRows;
  static constexpr int kParts = kBlock / kTileRows;
  using Rows = Tile<kTileRows, kHeadDim>;
  using Keys = Ring<4, Rows::kBytes>;
  using Values = Ring<kHeadDim == 64 ? 4 : 3, Rows::kBytes>;
  using Rings = RingPair<Keys, Values>;
};

/// One thread's work: brings a team's tiles, Q at first in place of a K.
template <typename T, class Traits>
__device__ __forceinline__ void CopyForForward(const ForwardArguments<T>& arguments,
                                               Units<Traits::kParts>& units,
                                               typename Traits::Rings& rings) {
  constexpr int kParts = Traits::kParts;
  auto& [keys, values] = rings;
  const BlockSparseProblem& problem = arguments.call.problem;
  const int32_t* columns = problem.pattern.row_columns;
  Unit unit;
  while (units.Next(unit)) {
    const BlockLine& line = unit.line;
    const int32_t kept = BlocksBelow(line, columns, Traits::kBlock, unit.Keys(problem).length(),
                                     static_cast<int32_t>(problem.length));
    if (kept == 0) continue;
    const auto copy = [&](auto& ring, const tiles::TileMap& map, int32_t tile) {
      ring.BeginFill(Traits::Rows::kBytes);
      tiles::CopyTile(ring.tile(), map, ring.barrier(), tile * Traits::kTileRows, unit.head,
                      unit.example);
      ring.Next();
    };
    copy(keys, arguments.q, line.line * kParts + unit.part);
    int32_t tile = line.first * kParts;
    copy(keys, arguments.k, tile);
    for (int32_t i = 1; i < kept * kParts; ++i) {
      const int32_t part = i % kParts;
      const int32_t next = part > 0 ? tile + 1 : columns[line.begin + i / kParts] * kParts;
      copy(keys, arguments.k, next);  // a tile ahead, as S is ahead of O
      copy(values, arguments.v, tile);
      tile = next;
    }
    copy(values, arguments.v, tile);
  }
}

template <typename T, class Traits, int kHeadDim>
__device__ __forceinline__ void ComputeForward(const BlockSparseForward<T>& call,
                                               const typename Traits::Place& place,
                                               Units<Traits::kParts>& units,
                                               typename Traits::Rings& rings) {
  constexpr int kBlock = Traits::kBlock;
  constexpr int kStepsPerBlock = kBlock / kColumns;
  constexpr int kStepsPerTile = Traits::kTileRows / kColumns;
  const auto enters = [](int32_t step) { return step % kStepsPerTile == 0; };
  const auto leaves = [](int32_t step) { return (step + 1) % kStepsPerTile == 0; };
  const auto tile_row = [](int32_t step) -> uint32_t { return step % kStepsPerTile * kColumns; };
  using Rows = typename Traits::Rows;
  auto& [keys, values] = rings;
  const BlockSparseProblem& problem = call.problem;
  const float scale_log2 = problem.scale * tiles::kLog2E;
  const Turns<Traits> turns(place);
  const int32_t* columns = problem.pattern.row_columns;
  Unit unit;
  while (units.Next(unit)) {
    const BlockLine& line = unit.line;
    const tiles::ValidKeys valid = unit.Keys(problem);
    const int32_t kept =
        BlocksBelow(line, columns, kBlock, valid.length(), static_cast<int32_t>(problem.length));
    const bool padded = !valid.all_before(static_cast<int32_t>(problem.length));
    const float pruned =  // entries of score 0, weight 2^(0 - reference)
        problem.pruned == PrunedScore::kZero
            ? static_cast<float>(problem.length - int64_t{line.end - line.begin} * kBlock)
            : 0.0F;
    RowSoftmax rows[2];
    StartRows(rows, pruned);
    float out[kHeadDim / 2] = {};
    if (kept > 0) {
      uint32_t q[Rows::kSteps][4];
      keys.WaitUntilFull();
      Rows::LoadLeft(q, keys.tile(), place.warp_row());
      const uint32_t q_barrier = keys.barrier();
      keys.Next();

      float s[kColumns / 2];
      uint32_t weights[kColumns / kStep][4];
      float factor[2];
      const auto weigh = [&](int32_t step) {
        if (padded) {
          const int32_t key = (columns[line.begin + step / kStepsPerBlock] * kStepsPerBlock +
                               step % kStepsPerBlock) *
                              kColumns;
          if (!valid.all_before(key + kColumns)) MaskKeys(s, valid, key);
        }
        return Weigh(s, scale_log2, rows, factor);
      };
      keys.WaitUntilFull();
      turns.Wait();
      tiles::BeginProducts();
      ProductWithRows<T, Rows>(s, q, keys.tile(), 0);
      tiles::CommitProducts();
      turns.Pass();
      tiles::WaitForProducts<0>();
      tiles::Receive(s);
      keys.ReleaseStage(q_barrier);  // all lanes have loaded, as they have multiplied
      if (leaves(0)) {
        keys.Release();
        keys.Next();
      }
      weigh(0);
      PackWeights<T>(weights, s);
      const int32_t steps = kept * kStepsPerBlock;
#pragma unroll 1
      for (int32_t step = 1; step < steps; ++step) {
        if (enters(step)) keys.WaitUntilFull();
        turns.Wait();
        tiles::BeginProducts();
        ProductWithRows<T, Rows>(s, q, keys.tile(), tile_row(step));
        tiles::CommitProducts();
        if (enters(step - 1)) values.WaitUntilFull();
        tiles::BeginProducts();
        ProductOfWeights<T, Rows>(out, weights, values.tile(), tile_row(step - 1));
        tiles::CommitProducts();
        turns.Pass();
        tiles::WaitForProducts<1>();
        tiles::Receive(s);
        if (leaves(step)) {
          keys.Release();
          keys.Next();
        }
        const bool moves = weigh(step);
        tiles::WaitForProducts<0>();
        tiles::Receive(out);
        if (leaves(step - 1)) {
          values.Release();
          values.Next();
        }
        if (moves) {
#pragma unroll
          for (int i = 0; i < kHeadDim / 2; ++i) out[i] *= factor[i / 2 % 2];
        }
        PackWeights<T>(weights, s);
      }
      if (enters(steps - 1)) values.WaitUntilFull();
      turns.Wait();
      tiles::BeginProducts();
      ProductOfWeights<T, Rows>(out, weights, values.tile(), tile_row(steps - 1));
      tiles::CommitProducts();
      turns.Pass();
      tiles::WaitForProducts<0>();
      tiles::Receive(out);
      values.Release();
      values.Next();
    }

    const int64_t row = int64_t{line.line} * kBlock + unit.part * Traits::kTileRows +
                        place.warp_row() + tiles::LaneGroup();
    float* lse = call.log_sum_exp + unit.FirstRow(problem) + row;
    float inverse[2];
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      rows[r].sum = tiles::RowSum(rows[r].sum) +
                    (pruned > 0 ? pruned * tiles::Exp2(-rows[r].reference) : 0.0F);
      inverse[r] = InverseSum(rows[r]);
      if (tiles::LaneInGroup() == 0) lse[8 * r] = LogSumExp(rows[r]);
    }
    StoreSums(out, inverse, unit.HeadOf(call.out) + row * call.out.row_stride, call.out.row_stride);
  }
}

template <typename T, int kHeadDim, int kBlock>
__global__ void __launch_bounds__((ForwardTraits<kHeadDim, kBlock>::kThreads), 1)
    ForwardKernel(const __grid_constant__ ForwardArguments<T> arguments) {
  using Traits = ForwardTraits<kHeadDim, kBlock>;
  const BlockSparseProblem& problem = arguments.call.problem;
  RunTeams<Traits>(
      problem, problem.pattern.schedule.rows, 1,
      [&](auto& units, auto& rings) { CopyForForward<T, Traits>(arguments, units, rings); },
      [&](const auto& place, auto& units, auto& rings) {
        ComputeForward<T, Traits, kHeadDim>(arguments.call, place, units, rings);
      });
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_FORWARD_CUH_
