// A block column in the one pass for Hopper: dK and dV, and dS for the rows to come.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ONE_PASS_COLUMNS_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ONE_PASS_COLUMNS_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/hopper/key_gradients.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/one_pass_traits.cuh"

namespace spion::cuda::hopper {

// One thread's work: brings the tiles of a column that has gradients, first its own.
template <typename T, class Traits>
__device__ __forceinline__ void CopyOwn(const OnePassArguments<T>& arguments, const Unit& unit,
                                        typename Traits::Rings& rings) {
  using Block = typename Traits::Block;
  auto& own = rings.own;
  own.BeginFill(2 * Block::kBytes);
  const int32_t key = unit.line.line * Traits::kBlock;
  tiles::CopyTile(own.tile(), arguments.k, own.barrier(), key, unit.head, unit.example);
  tiles::CopyTile(own.tile() + Block::kBytes, arguments.v, own.barrier(), key, unit.head,
                  unit.example);
  own.Next();
}
template <typename T, class Traits>
__device__ __forceinline__ void CopySteps(const OnePassArguments<T>& arguments, const Unit& unit,
                                          typename Traits::Rings& rings) {
  using Step = typename Traits::Step;
  auto& ring = rings.steps;
  auto& statistics = rings.statistics;
  const BlockLine& line = unit.line;
  const int32_t* rows = arguments.call.problem.pattern.column_rows;
  const int64_t first = unit.FirstRow(arguments.call.problem);
  int32_t row = line.first;
#pragma unroll 1
  for (int32_t i = line.begin; i < line.end; ++i) {
    const int32_t next = i + 1 < line.end ? rows[i + 1] : 0;
#pragma unroll
    for (int step = 0; step < Traits::kSteps; ++step) {
      const int32_t query = row * Traits::kBlock + step * Traits::kQueries;
      ring.BeginFill(2 * Step::kBytes);
      tiles::CopyTile(ring.tile(), arguments.q, ring.barrier(), query, unit.head, unit.example);
      tiles::CopyTile(ring.tile() + Step::kBytes, arguments.grad_out, ring.barrier(), query,
                      unit.head, unit.example);
      ring.Next();
      statistics.BeginFill(2 * Traits::kStatisticsBytes);
      CopyStatistics(statistics.tile(), arguments.statistics, first + query,
                     Traits::kStatisticsBytes, statistics.barrier());
      statistics.Next();
    }
    row = next;
  }
}

/// A warpgroup's way through columns. It has 64 of the keys, a warp 16.
template <typename T, class Traits, int kHeadDim>
class ColumnWalk {
  using Block = typename Traits::Block;
  using Step = typename Traits::Step;
  static constexpr int kValues = Traits::kQueries / 2;
  static constexpr uint32_t kTileRowBytes = kColumns * sizeof(T);  // of dS^T
  static constexpr uint32_t kTileBytes = kGroupRows * kTileRowBytes;

 public:
  __device__ __forceinline__ ColumnWalk(const typename Traits::Place& place, float scale_log2,
                                        typename Traits::Rings& rings)
      : group_row_(place.group() * kGroupRows),
        thread_row_(place.thread_row() % kGroupRows),
        scale_log2_(scale_log2),
        rings_(rings) {}

  /// Adds dK / scale and dV of a column with `blocks` kept ones, and stores their dS from `to` on.
  __device__ __forceinline__ void Take(float (&grad_k)[kHeadDim / 2], float (&grad_v)[kHeadDim / 2],
                                       int32_t blocks, const KeptKeys& kept, char* to) {
    auto& own = rings_.own;
    to += group_row_ / kGroupRows * 2 * kTileBytes + thread_row_ * kTileRowBytes;
    own.WaitUntilFull();
    const int32_t steps = blocks * Traits::kSteps;
#pragma unroll 1
    for (int32_t step = 0; step < steps; ++step) {
      TakeStep(grad_k, grad_v, kept, step + 1 == steps,
               to + step / Traits::kSteps * kScoreBlockBytes + step % Traits::kSteps * kTileBytes);
    }
    own.Next();
    tiles::WaitForProducts<0>();
    tiles::Receive(grad_k);
    tiles::Receive(grad_v);
    rings_.steps.ReleaseStage(left_);
    left_ = 0;
  }

 private:
  __device__ __forceinline__ void TakeStep(float (&grad_k)[kHeadDim / 2],
                                           float (&grad_v)[kHeadDim / 2], const KeptKeys& kept,
                                           bool is_last, char* to) {
    auto& own = rings_.own;
    auto& ring = rings_.steps;
    auto& statistics = rings_.statistics;
    float s[kValues];
    float dp[kValues];
    uint32_t p_weights[kValues / 8][4];
    uint32_t ds_weights[kValues / 8][4];
    ring.WaitUntilFull();
    const uint32_t queries = ring.tile();
    const uint32_t grads = queries + Step::kBytes;
    tiles::BeginProducts();
    ProductWithRows<T, Block, Step>(s, own.tile(), group_row_, queries, 0);
    tiles::CommitProducts();
    tiles::WaitForProducts<1>();  // the dK before: the registers of its dS^T are needed
    if (left_ != 0) ring.ReleaseStage(left_);
    left_ = ring.barrier();
    tiles::BeginProducts();
    ProductWithRows<T, Block, Step>(dp, own.tile() + Block::kBytes, group_row_, grads, 0);
    tiles::CommitProducts();
    tiles::WaitForProducts<1>();  // S^T
    tiles::Receive(s);
    statistics.WaitUntilFull();
    const uint32_t lse = OwnStatistics(statistics.tile());
    ScoresToWeights(s, scale_log2_, lse);
    ClearPadding(s, kept);
    PackWeights<T>(p_weights, s);
    tiles::BeginProducts();
    ProductOfWeights<T, Step>(grad_v, p_weights, grads, 0);
    tiles::CommitProducts();
    tiles::WaitForProducts<1>();  // dP^T
    tiles::Receive(dp);
    if (is_last) own.Release();  // for the next column
    PackScoreGradients<T, /*kUnrounded=*/kHeadDim == 128>(ds_weights, s, p_weights, dp,
                                                          lse + Traits::kStatisticsBytes);
    statistics.Release();
    statistics.Next();
    tiles::BeginProducts();
    ProductOfWeights<T, Step>(grad_k, ds_weights, queries, 0);
    tiles::CommitProducts();
    StoreScores(ds_weights, to);
    tiles::WaitForProducts<1>();  // dV: P's registers are needed
    ring.Next();
  }

  /// The thread's two rows of a step's dS^T, swizzled as tiles are; `to` is the first of them.
  static __device__ __forceinline__ void StoreScores(const uint32_t (&words)[kValues / 8][4],
                                                     char* to) {
    constexpr int kTileWords = kColumns / kStep;
#pragma unroll
    for (int i = 0; i < kValues / 8; i += 2) {  // of 16 queries
#pragma unroll
      for (int r = 0; r < 2; ++r) {
        uint32_t chunk[4] = {words[i][r], words[i][2 + r], words[i + 1][r], words[i + 1][2 + r]};
        TransposeInRow(chunk);
        const uint32_t place = 2 * (i % kTileWords) + tiles::LaneInGroup();
        tiles::StoreGlobal(to + i / kTileWords * kTileBytes + 8 * r * kTileRowBytes +
                               (place ^ tiles::LaneGroup()) * 16,
                           uint4{chunk[0], chunk[1], chunk[2], chunk[3]});
      }
    }
  }

  uint32_t group_row_;
  uint32_t thread_row_;  // among the group's
  float scale_log2_;
  typename Traits::Rings& rings_;
  uint32_t left_ = 0;  // the barrier of the stage that the dK under way reads
};

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ONE_PASS_COLUMNS_CUH_
