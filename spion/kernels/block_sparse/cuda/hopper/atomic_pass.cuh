// The backward kernel for Hopper that makes all three gradients in one pass over the kept blocks
// and adds up dQ by atomics, at head dimension 64. A line is a block column, of which each of two
// warpgroups has 64 keys.
//
//   load K, V -> for each step of queries of a kept block:
//     S^T = K Q^T, dP^T = V dO^T, dV += P^T dO, dS^T = P^T (dP^T - D), dK += dS^T Q
//     dQ of the step before = dS K, added up in device memory by atomics
//
// P is computed once: five products instead of seven. dS^T goes from registers to a tile that both
// warpgroups read: each makes half of a step's dQ. That is a step late, so that neither waits for
// the other.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ATOMIC_PASS_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ATOMIC_PASS_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/hopper/key_gradients.cuh"

namespace spion::cuda::hopper {

template <typename T>
struct AtomicPassArguments {
  BlockSparseBackward<T> call;
  RowStatistics statistics;
  /// dQ / scale, 64 x 64 sums for each warpgroup and step, as a product leaves them in registers:
  /// values 4 i .. 4 i + 3 of thread t are the t-th float4 of 128 in row i of 8.
  float* grad_q_sums;
  tiles::TileMap q, k, v, grad_out;
};

constexpr int kSumsOfGroup = kGroupRows * kColumns;

/// Two tiles of dS^T, filled in turns: while one is read, the next may be written.
template <uint32_t kTileBytes>
class Exchange {
 public:
  static constexpr uint32_t kBytes = 2 * kTileBytes;
  static constexpr uint32_t kBarrierBytes = 16;

  __device__ __forceinline__ Exchange(uint32_t tiles, uint32_t barriers)
      : tiles_(tiles), barriers_(barriers) {}
  __device__ __forceinline__ void Init(uint32_t warps) const {
    tiles::InitBarrier(barriers_, warps);
    tiles::InitBarrier(barriers_ + 8, warps);
  }

  __device__ __forceinline__ uint32_t tile() const { return tiles_ + stage_ * kTileBytes; }
  /// The warp has written its rows and read its last product with the tile before.
  __device__ __forceinline__ void Arrive() const {
    __syncwarp();
    if (threadIdx.x % 32 == 0) tiles::Arrive(barriers_ + 8 * stage_);
  }
  __device__ __forceinline__ void Next() {
    phase_ ^= stage_;
    stage_ ^= 1;
  }
  /// The tile before, when all warps have written it.
  __device__ __forceinline__ uint32_t Before() const {
    tiles::WaitForPhase(barriers_ + 8 * (stage_ ^ 1), phase_ ^ stage_ ^ 1);
    return tiles_ + (stage_ ^ 1) * kTileBytes;
  }

 private:
  uint32_t tiles_;
  uint32_t barriers_;
  uint32_t stage_ = 0;
  uint32_t phase_ = 0;
};

template <int kHeadDim>
struct AtomicPassTraits : Teams<1, 2> {
  static_assert(kHeadDim == 64);
  static constexpr int kParts = 1;
  static constexpr int kBlock = 128;
  static constexpr int kQueries = kBlock;  // of a step
  using Block = Tile<kBlock, kHeadDim>;    // K, V
  using Step = Tile<kQueries, kHeadDim>;   // Q, dO
  using Scores = Tile<kBlock, kQueries>;   // dS^T
  static constexpr uint32_t kStatisticsBytes = kQueries * sizeof(float);
  static constexpr int kSteps = kBlock / kQueries;  // of a block
  using Keys = Ring<2, Block::kBytes>;
  using Values = Ring<1, Block::kBytes>;
  using Queries = Ring<3, Step::kBytes + 1024, ReadBy::kLoads>;  // Q, log2 Z, D
  using Grads = Ring<3, Step::kBytes>;
  using Own = RingPair<Keys, Values>;
  using OfSteps = RingPair<Queries, Grads>;

  struct Rings {
    using OfScores = Exchange<Scores::kBytes>;
    static constexpr uint32_t kBytes = Own::kBytes + OfSteps::kBytes + OfScores::kBytes;
    static constexpr uint32_t kBarrierBytes =
        Own::kBarrierBytes + OfSteps::kBarrierBytes + OfScores::kBarrierBytes;

    Own own;
    OfSteps of_steps;
    OfScores exchange;

    __device__ __forceinline__ Rings(uint32_t tiles, uint32_t barriers)
        : own(tiles, barriers),
          of_steps(tiles + Own::kBytes, barriers + Own::kBarrierBytes),
          exchange(tiles + Own::kBytes + OfSteps::kBytes,
                   barriers + Own::kBarrierBytes + OfSteps::kBarrierBytes) {}
    __device__ __forceinline__ void Init(uint32_t warps) const {
      own.Init(warps);
      of_steps.Init(warps);
      exchange.Init(warps);
    }
  };
};

/// One thread's work: brings a team's tiles.
template <typename T, class Traits>
__device__ __forceinline__ void CopyForAtomicPass(const AtomicPassArguments<T>& arguments,
                                                  Units<1>& units, typename Traits::Rings& rings) {
  constexpr int kBlock = Traits::kBlock;
  using Block = typename Traits::Block;
  using Step = typename Traits::Step;
  auto& [keys, values] = rings.own;
  auto& [queries, grads] = rings.of_steps;
  const BlockSparseProblem& problem = arguments.call.problem;
  const int32_t* rows = problem.pattern.column_rows;
  Unit unit;
  while (units.Next(unit)) {
    const BlockLine& line = unit.line;
    if (!HasGradients<kBlock>(line, unit.Keys(problem))) continue;
    const auto copy = [&](auto& ring, const tiles::TileMap& map, uint32_t bytes, int32_t row) {
      ring.BeginFill(bytes);
      tiles::CopyTile(ring.tile(), map, ring.barrier(), row, unit.head, unit.example);
      ring.Next();
    };
    copy(keys, arguments.k, Block::kBytes, line.line * kBlock);
    int32_t row = line.first;
    for (int32_t i = line.begin; i < line.end; ++i) {
      const int32_t next = i + 1 < line.end ? rows[i + 1] : 0;
#pragma unroll
      for (int step = 0; step < Traits::kSteps; ++step) {
        const int32_t query = row * kBlock + step * Traits::kQueries;
        queries.BeginFill(Step::kBytes + 2 * Traits::kStatisticsBytes);
        const uint32_t tile = queries.tile();
        tiles::CopyTile(tile, arguments.q, queries.barrier(), query, unit.head, unit.example);
        const int64_t first = unit.FirstRow(problem) + query;
        CopyStatistics(tile + Step::kBytes, arguments.statistics, first, Traits::kStatisticsBytes,
                       queries.barrier());
        queries.Next();
        if (i == line.begin && step == 0) {
          copy(values, arguments.v, Block::kBytes, line.line * kBlock);
        }
        copy(grads, arguments.grad_out, Step::kBytes, query);
      }
      row = next;
    }
  }
}

/// A warpgroup's way through the steps of all its columns: what is left over of a step, half of its
/// dQ, is done in the next one, be it of another column.
template <typename T, class Traits, int kHeadDim>
class AtomicPassWalk {
  using Block = typename Traits::Block;
  using Step = typename Traits::Step;
  using Scores = typename Traits::Scores;
  static constexpr int kValues = Traits::kQueries / 2;

 public:
  __device__ __forceinline__ AtomicPassWalk(const typename Traits::Place& place, float scale_log2,
                                            typename Traits::Rings& rings)
      : group_(place.group()),
        warp_row_(place.warp_row()),
        scale_log2_(scale_log2),
        rings_(rings),
        keys_before_(rings.own.first.tile()) {}

  /// Adds dK / scale and dV of a column with `blocks` kept ones at `rows`. sums: the head's.
  __device__ __forceinline__ void TakeColumn(float (&grad_k)[kHeadDim / 2],
                                             float (&grad_v)[kHeadDim / 2], const int32_t* rows,
                                             int32_t blocks, const KeptKeys& kept, float* sums) {
    auto& [keys, values] = rings_.own;
    auto& queries = rings_.of_steps.first;
    sums += group_ * kSumsOfGroup + threadIdx.x % kGroupThreads * 4;
    keys.WaitUntilFull();
    values.WaitUntilFull();
    const int32_t steps = blocks * Traits::kSteps;
    int32_t row = rows[0];
#pragma unroll 1
    for (int32_t step = 0; step < steps; ++step) {
      if (step % Traits::kSteps == 0) row = rows[step / Traits::kSteps];
      TakeStep(grad_k, grad_v, kept, step + 1 == steps);
      before_ = sums + (int64_t{row} * Traits::kSteps + step % Traits::kSteps) * (2 * kSumsOfGroup);
    }
    tiles::WaitForProducts<0>();
    tiles::Receive(grad_k);
    tiles::Receive(grad_v);
    queries.ReleaseStage(left_queries_);
    left_queries_ = 0;
    keys.Next();
  }

  /// After the last column.
  __device__ __forceinline__ void Finish() {
    if (before_ == nullptr) return;
    float grad_q[kColumns / 2];
    const uint32_t scores = rings_.exchange.Before();
    tiles::BeginProducts();
    ProductForQueries(grad_q, scores);
    tiles::CommitProducts();
    tiles::WaitForProducts<0>();
    tiles::Receive(grad_q);
    AddToSums(grad_q);
  }

 private:
  __device__ __forceinline__ void TakeStep(float (&grad_k)[kHeadDim / 2],
                                           float (&grad_v)[kHeadDim / 2], const KeptKeys& kept,
                                           bool is_last) {
    auto& [keys, values] = rings_.own;
    auto& [queries, grads] = rings_.of_steps;
    auto& exchange = rings_.exchange;
    const uint32_t group_row = group_ * kGroupRows;
    float s[kValues];
    float dp[kValues];
    uint32_t p_weights[kValues / 8][4];
    uint32_t ds_weights[kValues / 8][4];
    queries.WaitUntilFull();
    tiles::BeginProducts();
    ProductWithRows<T, Block, Step>(s, keys.tile(), group_row, queries.tile(), 0);
    tiles::CommitProducts();
    tiles::WaitForProducts<1>();  // the dK before: the registers of its dS^T are needed
    if (left_queries_ != 0) queries.ReleaseStage(left_queries_);
    left_queries_ = queries.barrier();
    grads.WaitUntilFull();
    tiles::BeginProducts();
    ProductWithRows<T, Block, Step>(dp, values.tile(), group_row, grads.tile(), 0);
    tiles::CommitProducts();
    tiles::WaitForProducts<1>();  // S^T
    tiles::Receive(s);
    const uint32_t lse = OwnStatistics(queries.tile() + Step::kBytes);
    ScoresToWeights(s, scale_log2_, lse);
    ClearPadding(s, kept);
    PackWeights<T>(p_weights, s);
    tiles::BeginProducts();
    ProductOfWeights<T, Step>(grad_v, p_weights, grads.tile(), 0);
    tiles::CommitProducts();
    tiles::WaitForProducts<1>();  // dP^T
    tiles::Receive(dp);
    if (is_last) {
      values.Release();  // for the next column
      values.Next();
    }
    PackScoreGradients<T, /*kUnrounded=*/false>(ds_weights, s, p_weights, dp,
                                                lse + Traits::kStatisticsBytes);
    const uint32_t scores_before = exchange.Before();  // so this one has been read
    Scores::StoreLeft(ds_weights, exchange.tile(), warp_row_);
    tiles::PublishWrites();
    float grad_q[kColumns / 2];
    tiles::BeginProducts();
    ProductForQueries(grad_q, scores_before);
    tiles::CommitProducts();
    tiles::BeginProducts();
    ProductOfWeights<T, Step>(grad_k, ds_weights, queries.tile(), 0);
    tiles::CommitProducts();
    tiles::WaitForProducts<1>();  // dV and dQ
    tiles::Receive(grad_q);
    exchange.Arrive();
    exchange.Next();
    grads.Release();
    grads.Next();
    queries.Next();
    if (left_keys_ != keys.barrier()) {  // the dQ was of another column
      if (left_keys_ != 0) keys.ReleaseStage(left_keys_);
      left_keys_ = keys.barrier();
      keys_before_ = keys.tile();
    }
    if (before_ != nullptr) AddToSums(grad_q);
  }

  /// dQ of this warpgroup's half of the queries of the step before, whose dS^T is at `scores`.
  __device__ __forceinline__ void ProductForQueries(float (&grad_q)[kColumns / 2],
                                                    uint32_t scores) const {
    ProductOfColumns<T, Scores, Block, Traits::kBlock>(
        grad_q, scores + group_ * Scores::kPanelBytes, keys_before_);
  }
  __device__ __forceinline__ void AddToSums(const float (&grad_q)[kColumns / 2]) const {
#pragma unroll
    for (int i = 0; i < kColumns / 2; i += 4) {
      tiles::AddToGlobal(before_ + i * kGroupThreads,
                         float4{grad_q[i], grad_q[i + 1], grad_q[i + 2], grad_q[i + 3]});
    }
  }

  uint32_t group_;
  uint32_t warp_row_;
  float scale_log2_;
  typename Traits::Rings& rings_;
  uint32_t left_queries_ = 0;  // the barrier of the tile that the dK under way reads
  uint32_t left_keys_ = 0;     // of the K that the dQ to come reads
  uint32_t keys_before_;       // that K
  float* before_ = nullptr;    // where that dQ is to be added; null before the first step
};

template <typename T, class Traits, int kHeadDim>
__device__ __forceinline__ void ComputeAtomicPass(const AtomicPassArguments<T>& arguments,
                                                  const typename Traits::Place& place,
                                                  Units<1>& units, typename Traits::Rings& rings) {
  constexpr int kBlock = Traits::kBlock;
  const BlockSparseBackward<T>& call = arguments.call;
  const BlockSparseProblem& problem = call.problem;
  AtomicPassWalk<T, Traits, kHeadDim> walk(place, problem.scale * tiles::kLog2E, rings);
  Unit unit;
  while (units.Next(unit)) {
    const BlockLine& line = unit.line;
    const tiles::ValidKeys valid = unit.Keys(problem);
    const int32_t row = line.line * kBlock + static_cast<int32_t>(place.thread_row());
    float grad_k[kHeadDim / 2] = {};
    float grad_v[kHeadDim / 2] = {};
    if (HasGradients<kBlock>(line, valid)) {
      walk.TakeColumn(grad_k, grad_v, problem.pattern.column_rows + line.begin,
                      line.end - line.begin, KeptKeys(valid, row, (line.line + 1) * kBlock),
                      arguments.grad_q_sums + unit.FirstRow(problem) * kHeadDim);
    }
    StoreKeyGradients<T, kHeadDim>(call, unit, row, grad_k, grad_v);
  }
  walk.Finish();
}

template <typename T, int kHeadDim>
__global__ void __launch_bounds__((AtomicPassTraits<kHeadDim>::kThreads), 1)
    AtomicPassKernel(const __grid_constant__ AtomicPassArguments<T> arguments) {
  using Traits = AtomicPassTraits<kHeadDim>;
  const BlockSparseProblem& problem = arguments.call.problem;
  RunTeams<Traits>(
      problem, problem.pattern.schedule.lines + 1, 2,
      [&](auto& units, auto& rings) { CopyForAtomicPass<T, Traits>(arguments, units, rings); },
      [&](const auto& place, auto& units, auto& rings) {
        ComputeAtomicPass<T, Traits, kHeadDim>(arguments, place, units, rings);
      });
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ATOMIC_PASS_CUH_
