// The forward kernel for Hopper. A line is a block row.
//
//   load Q -> for each kept block: S = Q K^T, online softmax, O += P V -> O / Z, log Z
//
// S of the next block is under way while O takes up this one, and the softmax of one warpgroup
// while the others multiply. With blocks of 128 they see to that by turns. At head dimension 128
// two are then a team, which has a whole line and shares its tiles. Elsewhere a team is one
// warpgroup, a unit 64 queries: on its own it waits for nobody's tiles when it comes to the next.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_FORWARD_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_FORWARD_CUH_

#include <cstdint>
#include <type_traits>

#include "spion/kernels/block_sparse/cuda/hopper/softmax.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/team_turns.cuh"
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
  static constexpr int kUnitRows = ForwardTraits::kTeamGroups * kGroupRows;
  static constexpr int kParts = kBlock / kUnitRows;
  /// Three warpgroups that take 128 keys at once: their registers have no room for Q.
  static constexpr bool kThreeWide = kBlock == 128 && ForwardTraits::kGroups == 3;
  static constexpr int kStages = kThreeWide ? 2 : (kHeadDim == 128 ? 3 : 4);
  using Queries = Tile<kUnitRows, kHeadDim>;
  using Keys = Tile<kBlock, kHeadDim>;
  using BlockRing = Ring<kStages, Keys::kBytes>;
  using Rings = RingPair<Ring<1, Queries::kBytes>, RingPair<BlockRing, BlockRing>>;
  using Order = std::conditional_t<kThreeWide, TeamTurns<ForwardTraits>, Turns<ForwardTraits>>;
  static constexpr uint32_t kTurnBytes = Order::kBytes;
};

/// One thread's work: brings a team's tiles.
template <typename T, class Traits>
__device__ __forceinline__ void CopyForForward(const ForwardArguments<T>& arguments,
                                               Units<Traits::kParts>& units,
                                               typename Traits::Rings& rings) {
  constexpr int kBlock = Traits::kBlock;
  auto& [queries, blocks] = rings;
  auto& [keys, values] = blocks;
  const BlockSparseProblem& problem = arguments.call.problem;
  const int32_t* columns = problem.pattern.row_columns;
  Unit unit;
  while (units.Next(unit)) {
    const BlockLine& line = unit.line;
    const int32_t kept = BlocksBelow(line, columns, kBlock, unit.Keys(problem).length(),
                                     static_cast<int32_t>(problem.length));
    if (kept == 0) continue;
    const auto copy = [&](auto& ring, uint32_t bytes, const tiles::TileMap& map, int32_t row) {
      ring.BeginFill(bytes);
      tiles::CopyTile(ring.tile(), map, ring.barrier(), row, unit.head, unit.example);
      ring.Next();
    };
    const auto copy_block = [&](auto& ring, const tiles::TileMap& map, int32_t column) {
      copy(ring, Traits::Keys::kBytes, map, column * kBlock);
    };
    copy(queries, Traits::Queries::kBytes, arguments.q,
         line.line * kBlock + unit.part * Traits::kUnitRows);
    int32_t column = line.first;
    copy_block(keys, arguments.k, column);
    for (int32_t i = 1; i < kept; ++i) {
      const int32_t next = columns[line.begin + i];
      copy_block(keys, arguments.k, next);  // a block ahead, as S is ahead of O
      copy_block(values, arguments.v, column);
      column = next;
    }
    copy_block(values, arguments.v, column);
  }
}

/// A unit's rows: O = out / Z, log Z. `pruned` entries of weight 2^(0 - reference) come in.
template <typename T, class Traits, int kHeadDim>
__device__ __forceinline__ void StoreForward(const BlockSparseForward<T>& call,
                                             const typename Traits::Place& place, const Unit& unit,
                                             float pruned, RowSoftmax (&rows)[2],
                                             const float (&out)[kHeadDim / 2]) {
  const int64_t row = int64_t{unit.line.line} * Traits::kBlock + unit.part * Traits::kUnitRows +
                      place.warp_row() + tiles::LaneGroup();
  float* lse = call.log_sum_exp + unit.FirstRow(call.problem) + row;
  float inverse[2];
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    rows[r].sum =
        tiles::RowSum(rows[r].sum) + (pruned > 0 ? pruned * tiles::Exp2(-rows[r].reference) : 0.0F);
    inverse[r] = InverseSum(rows[r]);
    if (tiles::LaneInGroup() == 0) lse[8 * r] = LogSumExp(rows[r]);
  }
  StoreSums(out, inverse, unit.HeadOf(call.out) + row * call.out.row_stride, call.out.row_stride);
}

template <typename T, class Traits, int kHeadDim>
__device__ __forceinline__ void ComputeForward(const BlockSparseForward<T>& call,
                                               const typename Traits::Place& place,
                                               Units<Traits::kParts>& units,
                                               typename Traits::Rings& rings) {
  constexpr int kBlock = Traits::kBlock;
  constexpr bool kQueriesInRegisters = !Traits::kThreeWide;
  using Queries = typename Traits::Queries;
  using Keys = typename Traits::Keys;
  auto& [queries, blocks] = rings;
  auto& [keys, values] = blocks;
  const BlockSparseProblem& problem = call.problem;
  const auto length = static_cast<int32_t>(problem.length);
  const float scale_log2 = problem.scale * tiles::kLog2E;
  typename Traits::Order turns(place);
  const int32_t* columns = problem.pattern.row_columns;
  Unit unit;
  int32_t kept = 0;
  uint32_t q[kQueriesInRegisters ? Queries::kSteps : 1][4];
  float s[kBlock / 2];
  uint32_t weights[kBlock / kStep][4];
  RowSoftmax rows[2];
  float factor[2];
  float out[kHeadDim / 2] = {};

  const auto pruned_of = [&](const Unit& of) {
    return PrunedEntries(problem.pruned, problem.length, of.line.end - of.line.begin, kBlock);
  };
  // Goes on to the next unit that has keys. Others are stored on the way.
  const auto next_unit = [&] {
    while (units.Next(unit)) {
      kept = BlocksBelow(unit.line, columns, kBlock, unit.Keys(problem).length(), length);
      const float pruned = pruned_of(unit);
      rows[0] = rows[1] = RowSoftmax();
      StartRows(rows, pruned);
      if (kept > 0) return true;
      const float nothing[kHeadDim / 2] = {};
      StoreForward<T, Traits, kHeadDim>(call, place, unit, pruned, rows, nothing);
    }
    return false;
  };
  const auto take_queries = [&] {
    queries.WaitUntilFull();
    if constexpr (kQueriesInRegisters) Queries::LoadLeft(q, queries.tile(), place.warp_row());
  };
  const auto give_queries_back = [&] {
    queries.Release();
    queries.Next();
  };
  const auto begin_scores = [&] {
    tiles::BeginProducts();
    if constexpr (kQueriesInRegisters) {
      ProductWithRows<T, Keys>(s, q, keys.tile(), 0);
    } else {
      ProductWithRows<T, Queries, Keys>(s, queries.tile(), 0, keys.tile(), 0);
    }
    tiles::CommitProducts();
  };
  const auto begin_out = [&] {
    values.WaitUntilFull();
    tiles::BeginProducts();
    ProductOfWeights<T, Keys>(out, weights, values.tile(), 0);
    tiles::CommitProducts();
  };
  const auto receive_scores = [&] {  // which have been waited for
    tiles::Receive(s);
    turns.Pass();
    keys.Release();
    keys.Next();
  };
  const auto receive_out = [&] {
    tiles::WaitForProducts<0>();
    tiles::Receive(out);
    values.Release();
    values.Next();
  };
  // Scores to come, beside the product of those before.
  const auto multiply = [&] {
    keys.WaitUntilFull();
    turns.Wait();
    begin_scores();
    begin_out();
    tiles::WaitForProducts<1>();
    receive_scores();
  };
  const auto weigh = [&](int32_t block) {
    const tiles::ValidKeys valid = unit.Keys(problem);
    if (!valid.all_before(length)) {
      const int32_t key = columns[unit.line.begin + block] * kBlock;
      if (!valid.all_before(key + kBlock)) MaskKeys(s, valid, key);
    }
    return Weigh(s, scale_log2, rows, factor);
  };

  if (next_unit()) {
    take_queries();
    keys.WaitUntilFull();
    turns.Wait();
    begin_scores();
    tiles::WaitForProducts<0>();
    receive_scores();
    if (kQueriesInRegisters) give_queries_back();  // lanes have loaded, as they have multiplied
    weigh(0);
    PackWeights<T>(weights, s);
  }
  bool more = kept > 0;
#pragma unroll 1
  while (more) {
#pragma unroll 1
    for (int32_t block = 1; block < kept; ++block) {
      multiply();
      const bool moves = weigh(block);
      receive_out();
      if (moves) {
#pragma unroll
        for (int i = 0; i < kHeadDim / 2; ++i) out[i] *= factor[i / 2 % 2];
      }
      PackWeights<T>(weights, s);
    }
    if (!kQueriesInRegisters) give_queries_back();

    // The last product of a unit, beside the first of the next one.
    const Unit done = unit;
    RowSoftmax done_rows[2] = {rows[0], rows[1]};
    more = next_unit();
    if (more) {
      take_queries();
      multiply();
      if (kQueriesInRegisters) give_queries_back();
      weigh(0);
      receive_out();
      PackWeights<T>(weights, s);
    } else {
      turns.Wait();
      begin_out();
      turns.Pass();
      receive_out();
    }
    StoreForward<T, Traits, kHeadDim>(call, place, done, pruned_of(done), done_rows, out);
#pragma unroll
    for (float& sum : out) sum = 0;
  }
  turns.Leave();
}

template <typename T, int kHeadDim, int kBlock>
__global__ void __launch_bounds__((ForwardTraits<kHeadDim, kBlock>::kThreads), 1)
    ForwardKernel(const __grid_constant__ ForwardArguments<T> arguments) {
  using Traits = ForwardTraits<kHeadDim, kBlock>;
  const BlockSparseProblem& problem = arguments.call.problem;
  if (threadIdx.x == 0) Traits::Order::Init();
  RunTeams<Traits>(
      problem, problem.pattern.schedule.rows, 1,
      [&](auto& units, auto& rings) { CopyForForward<T, Traits>(arguments, units, rings); },
      [&](const auto& place, auto& units, auto& rings) {
        ComputeForward<T, Traits, kHeadDim>(arguments.call, place, units, rings);
      });
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_FORWARD_CUH_
