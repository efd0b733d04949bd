// The backward kernel for Hopper that makes dQ. A line is a block row.
//
//   load Q, dO, O -> D = dO . O
//   for each 64 keys of a kept block: S = Q K^T, dP = dO V^T, dS = P (dP - D), dQ += dS K
//
// dQ of the keys before, S and dP run one after the other in the background; P is computed as soon
// as S is there.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_GRAD_QUERIES_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_GRAD_QUERIES_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/hopper/backward.cuh"

namespace spion::cuda::hopper {

template <int kHeadDim, int kBlockSize>
struct GradQueriesTraits : BackwardTeams<kHeadDim, kBlockSize> {
  static constexpr int kParts = 1;
  static constexpr int kBlock = kBlockSize;
  using Block = Tile<kBlock, kHeadDim>;
  using Keys = Ring<4, Block::kBytes>;
  using Values = Ring<kHeadDim == 128 ? 3 : 4, Block::kBytes>;
  using Rings = RingPair<Keys, Values>;
};

/// One thread's work: brings a team's tiles; at first Q in place of a K, dO and O in place of Vs.
template <typename T, class Traits>
__device__ __forceinline__ void CopyForGradQueries(const BackwardArguments<T>& arguments,
                                                   Units<1>& units, typename Traits::Rings& rings) {
  constexpr int kBlock = Traits::kBlock;
  auto& [keys, values] = rings;
  const BlockSparseProblem& problem = arguments.call.problem;
  const int32_t* columns = problem.pattern.row_columns;
  Unit unit;
  while (units.Next(unit)) {
    const BlockLine& line = unit.line;
    const int32_t kept = BlocksBelow(line, columns, kBlock, unit.Keys(problem).length(),
                                     static_cast<int32_t>(problem.length));
    if (kept == 0) continue;
    const auto copy = [&](auto& ring, const tiles::TileMap& map, int32_t block) {
      ring.BeginFill(Traits::Block::kBytes);
      tiles::CopyTile(ring.tile(), map, ring.barrier(), block * kBlock, unit.head, unit.example);
      ring.Next();
    };
    copy(keys, arguments.q, line.line);
    copy(values, arguments.grad_out, line.line);
    copy(values, arguments.out, line.line);
    int32_t column = line.first;
    for (int32_t i = 0; i < kept; ++i) {
      copy(keys, arguments.k, column);
      const int32_t next = i + 1 < kept ? columns[line.begin + i + 1] : 0;
      copy(values, arguments.v, column);
      column = next;
    }
  }
}

template <typename T, class Traits, int kHeadDim>
__device__ __forceinline__ void ComputeGradQueries(const BackwardArguments<T>& arguments,
                                                   const typename Traits::Place& place,
                                                   Units<1>& units, typename Traits::Rings& rings) {
  using Block = typename Traits::Block;
  auto& [keys, values] = rings;
  constexpr int kBlock = Traits::kBlock;
  constexpr int kStepsPerBlock = kBlock / kColumns;
  const BlockSparseBackward<T>& call = arguments.call;
  const BlockSparseProblem& problem = call.problem;
  const float scale_log2 = problem.scale * tiles::kLog2E;
  const Turns<Traits> turns(place);
  const auto zero = static_cast<uint32_t>(problem.length >> 32);
  const int32_t* columns = problem.pattern.row_columns;
  Unit unit;
  while (units.Next(unit)) {
    const BlockLine& line = unit.line;
    const tiles::ValidKeys valid = unit.Keys(problem);
    const int32_t kept =
        BlocksBelow(line, columns, kBlock, valid.length(), static_cast<int32_t>(problem.length));
    const bool padded = !valid.all_before(static_cast<int32_t>(problem.length));
    const int64_t row = int64_t{line.line} * kBlock + place.thread_row();
    float grad_q[kHeadDim / 2] = {};
    if (kept > 0) {
      const int64_t statistics = unit.FirstRow(problem) + row;
      float lse[2];
#pragma unroll
      for (int r = 0; r < 2; ++r) lse[r] = call.log_sum_exp[statistics + 8 * r] * tiles::kLog2E;
      uint32_t q[Block::kSteps][4];
      uint32_t grad_out[Block::kSteps][4];
      keys.WaitUntilFull();
      Block::LoadLeft(q, keys.tile(), place.warp_row());
      values.WaitUntilFull();
      Block::LoadLeft(grad_out, values.tile(), place.warp_row());
      uint32_t left = keys.barrier();  // of the stage that is read last by what is under way
      keys.Next();
      const uint32_t grad_out_barrier = values.barrier();
      values.Next();
      float dots[2] = {};
      values.WaitUntilFull();
      {
        uint32_t out[Block::kSteps][4];
        Block::LoadLeft(out, values.tile(), place.warp_row());
#pragma unroll
        for (int i = 0; i < Block::kSteps; ++i) {
#pragma unroll
          for (int j = 0; j < 4; ++j) {
            const float2 a = Unpack<T>(out[i][j]);
            const float2 b = Unpack<T>(grad_out[i][j]);
            dots[j % 2] = fmaf(a.x, b.x, fmaf(a.y, b.y, dots[j % 2]));
          }
        }
      }
#pragma unroll
      for (int r = 0; r < 2; ++r) dots[r] = tiles::RowSum(dots[r]);
      values.ReleaseStage(grad_out_barrier);  // all lanes have dO and O
      values.Release();
      values.Next();
#pragma unroll
      for (int r = 0; r < 2; ++r) {
        if (tiles::LaneInGroup() == 0) {
          arguments.statistics.lse_log2[statistics + 8 * r] = lse[r];
          arguments.statistics.dots[statistics + 8 * r] = dots[r];
        }
      }

      float s[kColumns / 2];
      float dp[kColumns / 2];
      uint32_t weights[kColumns / kStep][4];
      const int32_t steps = kept * kStepsPerBlock;
#pragma unroll 1
      for (int32_t step = 0; step < steps; ++step) {
        const uint32_t key = step % kStepsPerBlock * kColumns;
        const bool enters = step % kStepsPerBlock == 0;
        const bool leaves = (step + 1) % kStepsPerBlock == 0;
        if constexpr (kHeadDim != 128) Remake(q, zero);
        if (enters) keys.WaitUntilFull();
        turns.Wait();
        tiles::BeginProducts();
        ProductWithRows<T, Block>(s, q, keys.tile(), key);
        tiles::CommitProducts();
        if (enters) values.WaitUntilFull();
        tiles::BeginProducts();
        ProductWithRows<T, Block>(dp, grad_out, values.tile(), key);
        tiles::CommitProducts();
        turns.Pass();
        tiles::WaitForProducts<1>();  // S and the dQ before are there
        tiles::Receive(s);
        if (left != 0) keys.ReleaseStage(left);
        if (padded) {
          const int32_t first_key =
              columns[line.begin + step / kStepsPerBlock] * kBlock + static_cast<int32_t>(key);
          if (!valid.all_before(first_key + kColumns)) MaskKeys(s, valid, first_key);
        }
#pragma unroll
        for (int i = 0; i < kColumns / 2; ++i) {
          s[i] = tiles::Exp2(fmaf(s[i], scale_log2, -lse[i / 2 % 2]));
        }
        tiles::WaitForProducts<0>();
        tiles::Receive(dp);
#pragma unroll
        for (int i = 0; i < kColumns / 2; ++i) s[i] *= dp[i] - dots[i / 2 % 2];
        PackWeights<T>(weights, s);
        tiles::BeginProducts();
        ProductOfWeights<T, Block>(grad_q, weights, keys.tile(), key);
        tiles::CommitProducts();
        left = leaves ? keys.barrier() : 0;
        if (leaves) {
          keys.Next();
          values.Release();
          values.Next();
        }
      }
      tiles::WaitForProducts<0>();
      tiles::Receive(grad_q);
      keys.ReleaseStage(left);
    }
    StoreSums(grad_q, {problem.scale, problem.scale},
              unit.HeadOf(call.grad_q) + row * call.grad_q.row_stride, call.grad_q.row_stride);
  }
}

template <typename T, int kHeadDim, int kBlock>
__global__ void __launch_bounds__((GradQueriesTraits<kHeadDim, kBlock>::kThreads), 1)
    GradQueriesKernel(const __grid_constant__ BackwardArguments<T> arguments) {
  using Traits = GradQueriesTraits<kHeadDim, kBlock>;
  const BlockSparseProblem& problem = arguments.call.problem;
  RunTeams<Traits>(
      problem, problem.pattern.schedule.rows, 1,
      [&](auto& units, auto& rings) { CopyForGradQueries<T, Traits>(arguments, units, rings); },
      [&](const auto& place, auto& units, auto& rings) {
        ComputeGradQueries<T, Traits, kHeadDim>(arguments, place, units, rings);
      });
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_GRAD_QUERIES_CUH_
