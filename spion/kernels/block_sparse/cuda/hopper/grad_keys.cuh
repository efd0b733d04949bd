// The backward kernel for Hopper that makes dK and dV. A line is a block column.
//
//   load K, V -> for each 64 queries of a kept block:
//     S^T = K Q^T, dP^T = V dO^T, dV += P^T dO, dS^T = P^T (dP^T - D), dK += dS^T Q
//
// Keys lie along the rows, so that P^T and dS^T go from one product to the next in registers.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_GRAD_KEYS_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_GRAD_KEYS_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/hopper/key_gradients.cuh"

namespace spion::cuda::hopper {

template <int kHeadDim, int kBlockSize>
struct GradKeysTraits : BackwardTeams<kHeadDim, kBlockSize> {
  static constexpr int kParts = 1;
  static constexpr int kBlock = kBlockSize;
  using Block = Tile<kBlock, kHeadDim>;
  static constexpr uint32_t kStatisticsBytes = kBlock * sizeof(float);
  static constexpr int kStages = kHeadDim == 128 ? 2 : 4;
  using Own = Ring<kHeadDim == 32 ? 2 : 1, 2 * Block::kBytes>;          // K, V
  using Queries = Ring<kStages, Block::kBytes + 1024, ReadBy::kLoads>;  // Q, log2 Z, D
  using Grads = Ring<kStages, Block::kBytes>;                           // dO
  using Rings = RingPair<Own, RingPair<Queries, Grads>>;
};

/// One thread's work: brings a team's tiles.
template <typename T, class Traits>
__device__ __forceinline__ void CopyForGradKeys(const BackwardArguments<T>& arguments,
                                                Units<1>& units, typename Traits::Rings& rings) {
  constexpr int kBlock = Traits::kBlock;
  using Block = typename Traits::Block;
  auto& [own, of_rows] = rings;
  auto& [queries, grads] = of_rows;
  const BlockSparseProblem& problem = arguments.call.problem;
  const int32_t* rows = problem.pattern.column_rows;
  Unit unit;
  while (units.Next(unit)) {
    const BlockLine& line = unit.line;
    if (!HasGradients<kBlock>(line, unit.Keys(problem))) continue;
    const auto copy = [&](uint32_t to, const tiles::TileMap& map, uint32_t barrier, int32_t block) {
      tiles::CopyTile(to, map, barrier, block * kBlock, unit.head, unit.example);
    };
    own.BeginFill(2 * Block::kBytes);
    copy(own.tile(), arguments.k, own.barrier(), line.line);
    copy(own.tile() + Block::kBytes, arguments.v, own.barrier(), line.line);
    own.Next();
    int32_t row = line.first;
    for (int32_t i = line.begin; i < line.end; ++i) {
      const int32_t next = i + 1 < line.end ? rows[i + 1] : 0;
      queries.BeginFill(Block::kBytes + 2 * Traits::kStatisticsBytes);
      const uint32_t tile = queries.tile();
      copy(tile, arguments.q, queries.barrier(), row);
      const int64_t first = unit.FirstRow(problem) + int64_t{row} * kBlock;
      CopyStatistics(tile + Block::kBytes, arguments.statistics, first, Traits::kStatisticsBytes,
                     queries.barrier());
      queries.Next();
      grads.BeginFill(Block::kBytes);
      copy(grads.tile(), arguments.grad_out, grads.barrier(), row);
      grads.Next();
      row = next;
    }
  }
}

/// dK and dV of a column.
template <typename T, class Traits, int kHeadDim>
__device__ __forceinline__ void SumGradKeys(float (&grad_k)[kHeadDim / 2],
                                            float (&grad_v)[kHeadDim / 2], int32_t blocks,
                                            float scale_log2, const typename Traits::Place& place,
                                            typename Traits::Rings& rings) {
  using Block = typename Traits::Block;
  constexpr int kStepsPerBlock = Traits::kBlock / kColumns;
  auto& [own, of_rows] = rings;
  auto& [queries, grads] = of_rows;
  float s[kColumns / 2];
  float dp[kColumns / 2];
  uint32_t p_weights[kColumns / kStep][4];
  uint32_t ds_weights[kColumns / kStep][4];
  const uint32_t group_row = place.warp_row() / kGroupRows * kGroupRows;
  own.WaitUntilFull();
  const uint32_t k = own.tile();
  const uint32_t v = own.tile() + Block::kBytes;
  const int32_t steps = blocks * kStepsPerBlock;
  uint32_t left_query = 0;  // barriers of the tiles that products under way read last
  uint32_t left_grad = 0;
#pragma unroll 1
  for (int32_t step = 0; step < steps; ++step) {
    const uint32_t query = step % kStepsPerBlock * kColumns;
    const bool enters = step % kStepsPerBlock == 0;
    const bool leaves = (step + 1) % kStepsPerBlock == 0;
    if (enters) queries.WaitUntilFull();
    tiles::BeginProducts();
    ProductWithRows<T, Block, Block>(s, k, group_row, queries.tile(), query);
    tiles::CommitProducts();
    if (enters) grads.WaitUntilFull();
    tiles::BeginProducts();
    ProductWithRows<T, Block, Block>(dp, v, group_row, grads.tile(), query);
    tiles::CommitProducts();
    tiles::WaitForProducts<1>();  // S^T and the dV and dK before are there
    tiles::Receive(s);
    if (left_query != 0) {
      queries.ReleaseStage(left_query);
      grads.ReleaseStage(left_grad);
    }
    left_query = leaves ? queries.barrier() : 0;
    left_grad = grads.barrier();
    const uint32_t lse = OwnStatistics(queries.tile() + Block::kBytes + query * sizeof(float));
    ScoresToWeights(s, scale_log2, lse);
    PackWeights<T>(p_weights, s);
    tiles::BeginProducts();
    ProductOfWeights<T, Block>(grad_v, p_weights, grads.tile(), query);
    tiles::CommitProducts();
    tiles::WaitForProducts<1>();  // dP^T
    tiles::Receive(dp);
    if (step + 1 == steps) own.Release();  // for the next column
    PackScoreGradients<T, /*kUnrounded=*/true>(ds_weights, s, p_weights, dp,
                                               lse + Traits::kStatisticsBytes);
    tiles::BeginProducts();
    ProductOfWeights<T, Block>(grad_k, ds_weights, queries.tile(), query);
    tiles::CommitProducts();
    if constexpr (kHeadDim == 128) tiles::WaitForProducts<1>();  // dV: P's registers are needed
    if (leaves) {
      queries.Next();
      grads.Next();
    }
  }
  own.Next();
  tiles::WaitForProducts<0>();
  tiles::Receive(grad_k);
  tiles::Receive(grad_v);
  queries.ReleaseStage(left_query);
  grads.ReleaseStage(left_grad);
}

template <typename T, class Traits, int kHeadDim>
__device__ __forceinline__ void ComputeGradKeys(const BackwardArguments<T>& arguments,
                                                const typename Traits::Place& place,
                                                Units<1>& units, typename Traits::Rings& rings) {
  constexpr int kBlock = Traits::kBlock;
  const BlockSparseBackward<T>& call = arguments.call;
  const BlockSparseProblem& problem = call.problem;
  Unit unit;
  while (units.Next(unit)) {
    const BlockLine& line = unit.line;
    const tiles::ValidKeys valid = unit.Keys(problem);
    float grad_k[kHeadDim / 2] = {};
    float grad_v[kHeadDim / 2] = {};
    if (HasGradients<kBlock>(line, valid)) {
      SumGradKeys<T, Traits, kHeadDim>(grad_k, grad_v, line.end - line.begin,
                                       problem.scale * tiles::kLog2E, place, rings);
    }
    const int32_t row = line.line * kBlock + static_cast<int32_t>(place.thread_row());
    const KeptKeys kept(valid, row, (line.line + 1) * kBlock);
    ClearPadding(grad_k, kept);
    ClearPadding(grad_v, kept);
    StoreKeyGradients<T, kHeadDim>(call, unit, row, grad_k, grad_v);
  }
}

template <typename T, int kHeadDim, int kBlock>
__global__ void __launch_bounds__((GradKeysTraits<kHeadDim, kBlock>::kThreads), 1)
    GradKeysKernel(const __grid_constant__ BackwardArguments<T> arguments) {
  using Traits = GradKeysTraits<kHeadDim, kBlock>;
  const BlockSparseProblem& problem = arguments.call.problem;
  RunTeams<Traits>(
      problem, problem.pattern.schedule.lines + 1, 2,
      [&](auto& units, auto& rings) { CopyForGradKeys<T, Traits>(arguments, units, rings); },
      [&](const auto& place, auto& units, auto& rings) {
        ComputeGradKeys<T, Traits, kHeadDim>(arguments, place, units, rings);
      });
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_GRAD_KEYS_CUH_
