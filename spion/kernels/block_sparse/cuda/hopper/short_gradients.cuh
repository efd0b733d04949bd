// What a warpgroup adds to the gradients of a short line, block by block: see short_backward.cuh.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SHORT_GRADIENTS_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SHORT_GRADIENTS_CUH_

#include <cstdint>

#include "spion/kernels/cuda_hopper/mask_keys.cuh"
#include "spion/kernels/cuda_hopper/tiles.cuh"
#include "spion/kernels/cuda_tiles/exponent.cuh"

namespace spion::cuda::hopper {

/// Of a row of Q: log2 Z and D.
struct ShortStatistics {
  float lse_log2;
  float delta;
};

/// Shared memory: the line's own Q, K, V, dO; O, and then dS^T of the diagonal block; two stages of
/// K and V, or of Q, dO and O; log Z as it comes and the statistics, of the own rows and of each
/// stage's; barriers, of the own tiles and of the stages.
template <int kHeadDim>
struct ShortBackwardTraits {
  using Block = Tile<kGroupRows, kHeadDim>;
  using Scores = Tile<kGroupRows, kGroupRows>;
  static constexpr int kThreads = kGroupThreads;
  static constexpr int kThreadBlocksPerSm = 4;
  static constexpr uint32_t kQ = 0;
  static constexpr uint32_t kK = Block::kBytes;
  static constexpr uint32_t kV = 2 * Block::kBytes;
  static constexpr uint32_t kGrad = 3 * Block::kBytes;
  static constexpr uint32_t kScores = 4 * Block::kBytes;
  static constexpr uint32_t kFirstStage = kScores + Scores::kBytes;
  static constexpr uint32_t kStageBytes = 3 * Block::kBytes;
  static constexpr uint32_t kLse = kFirstStage + 2 * kStageBytes;
  static constexpr uint32_t kLseBytes = kGroupRows * sizeof(float);
  static constexpr uint32_t kStatistics = kLse + 3 * kLseBytes;
  static constexpr uint32_t kStatisticsBytes = kGroupRows * sizeof(ShortStatistics);
  static constexpr uint32_t kBarriers = kStatistics + 3 * kStatisticsBytes;
  static constexpr int kSharedBytes = kBarriers + 3 * 8;
  static_assert(Block::kBytes <= Scores::kBytes);
};

/// The sums of a line.
template <typename T, int kHeadDim>
class ShortGradients {
  using Traits = ShortBackwardTraits<kHeadDim>;
  using Block = typename Traits::Block;
  using Scores = typename Traits::Scores;
  static constexpr int kPart = 32;  // rows of a tile that are taken up at once
  static constexpr int kParts = kGroupRows / kPart;

 public:
  __device__ __forceinline__ ShortGradients(uint32_t shared, float scale)
      : shared_(shared), scale_log2_(scale * tiles::kLog2E), warp_row_(threadIdx.x / 32 * 16) {}

  /// Completes statistics number i, of the rows of `out` and `grad`, for the warp's 16 of them.
  __device__ __forceinline__ void MakeStatistics(int i, uint32_t out, uint32_t grad) const {
    uint32_t left[Block::kSteps][4];
    uint32_t right[Block::kSteps][4];
    Block::LoadLeft(left, out, warp_row_);
    Block::LoadLeft(right, grad, warp_row_);
    float s[2][4] = {};  // O dO^T, for its diagonal
#pragma unroll
    for (int step = 0; step < Block::kSteps; ++step) {
      const uint32_t(&a)[4] = left[step];
      const uint32_t(&b)[4] = right[step];
      tiles::Mma16<T>(s[0], a[0], a[1], a[2], a[3], b[0], b[2]);
      tiles::Mma16<T>(s[1], a[0], a[1], a[2], a[3], b[1], b[3]);
    }
    if (tiles::LaneGroup() / 2 != tiles::LaneInGroup()) return;
    const bool odd = tiles::LaneGroup() % 2 == 1;
    char* memory = tiles::SharedMemory();
    const auto* lse = reinterpret_cast<const float*>(memory + Traits::kLse + i * Traits::kLseBytes);
    auto* of_rows = reinterpret_cast<ShortStatistics*>(memory + Traits::kStatistics +
                                                       i * Traits::kStatisticsBytes);
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const uint32_t row = warp_row_ + tiles::LaneGroup() + 8 * r;
      of_rows[row] = {lse[row] * tiles::kLog2E, odd ? s[r][2 * r + 1] : s[r][2 * r]};
    }
  }

  /// dQ += of a block of the row, whose K and V are at `stage`; the first of its keys.
  __device__ __forceinline__ void Row(uint32_t stage, const tiles::ValidKeys& valid, int32_t key) {
    const bool all_valid = valid.all_before(key + kGroupRows);
    ShortStatistics of[2];
#pragma unroll
    for (int r = 0; r < 2; ++r) of[r] = Statistics(0)[warp_row_ + tiles::LaneGroup() + 8 * r];
    uint32_t weights[kParts][kPart / kStep][4];  // under way until the block is done
#pragma unroll
    for (int part = 0; part < kGroupRows; part += kPart) {
      float s[kPart / 2];  // 64 queries x kPart keys
      float dp[kPart / 2];
      tiles::BeginProducts();
      ProductWithRows<T, Block, Block>(s, shared_ + Traits::kQ, 0, stage, part);
      tiles::CommitProducts();
      tiles::BeginProducts();
      ProductWithRows<T, Block, Block>(dp, shared_ + Traits::kGrad, 0, stage + Block::kBytes, part);
      tiles::CommitProducts();
      tiles::WaitForProducts<1>();
      tiles::Receive(s);
      if (!all_valid) MaskKeys(s, valid, key + part);
#pragma unroll
      for (int i = 0; i < kPart / 2; ++i) {
        s[i] = tiles::Exp2(fmaf(s[i], scale_log2_, -of[i / 2 % 2].lse_log2));
      }
      tiles::WaitForProducts<0>();
      tiles::Receive(dp);
#pragma unroll
      for (int i = 0; i < kPart / 2; ++i) s[i] *= dp[i] - of[i / 2 % 2].delta;
      PackWeights<T>(weights[part / kPart], s);
      tiles::BeginProducts();
      ProductOfWeights<T, Block>(grad_q, weights[part / kPart], stage, part);
      tiles::CommitProducts();
    }
    tiles::WaitForProducts<0>();
    tiles::Receive(grad_q);
  }

  /// dK and dV += of a block of the column, whose Q and dO are at `stage`.
  __device__ __forceinline__ void Column(uint32_t stage, int statistics) {
    uint32_t p_weights[kParts][kPart / kStep][4];
    uint32_t ds_weights[kParts][kPart / kStep][4];
    ColumnBlock(p_weights, ds_weights, stage, stage + Block::kBytes, statistics,
                [](int, uint32_t(&)[4]) {});
    ReceiveColumn();
  }

  /// dQ, dK and dV += of the diagonal block, whose first row and column is `first`.
  __device__ __forceinline__ void Diagonal(const tiles::ValidKeys& valid, int32_t first) {
    const uint32_t scratch = shared_ + Traits::kScores;
    uint32_t is_valid[2] = {~0U, ~0U};  // all bits
    if (!valid.all_before(first + kGroupRows)) {
#pragma unroll
      for (int r = 0; r < 2; ++r) {
        if (!valid.at(first + Key(r))) is_valid[r] = 0;
      }
    }
    uint32_t p_weights[kParts][kPart / kStep][4];
    uint32_t ds_weights[kParts][kPart / kStep][4];
    ColumnBlock(p_weights, ds_weights, shared_ + Traits::kQ, shared_ + Traits::kGrad, 0,
                [&](int step, const uint32_t(&ds)[4]) {
                  const uint32_t words[4] = {ds[0] & is_valid[0], ds[1] & is_valid[1],
                                             ds[2] & is_valid[0], ds[3] & is_valid[1]};
                  Scores::StoreLeft(words, scratch, warp_row_, step);
                });
    tiles::PublishWrites();
    __syncthreads();  // dS^T is written
    tiles::BeginProducts();
#pragma unroll
    for (int i = 0; i < kGroupRows / kStep; ++i) {
      tiles::Product<T, true, tiles::Adds::kYes, true>(
          grad_q, Scores::AlongColumns(scratch, 0, i),
          Block::AlongColumns(shared_ + Traits::kK, 0, i));
    }
    tiles::CommitProducts();
    ReceiveColumn();
    tiles::Receive(grad_q);
  }

  /// A padded key has no gradient.
  __device__ __forceinline__ void ClearKeys(const tiles::ValidKeys& valid, int32_t first) {
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      if (valid.at(first + Key(r))) continue;
#pragma unroll
      for (int i = 0; i < kHeadDim / 2; i += 4) {
        grad_k[i + 2 * r] = grad_k[i + 2 * r + 1] = 0;
        grad_v[i + 2 * r] = grad_v[i + 2 * r + 1] = 0;
      }
    }
  }

  /// The thread's first row in the block.
  __device__ __forceinline__ int32_t row() const {
    return static_cast<int32_t>(warp_row_) + tiles::LaneGroup();
  }

  float grad_q[kHeadDim / 2] = {};
  float grad_k[kHeadDim / 2] = {};
  float grad_v[kHeadDim / 2] = {};

 private:
  static __device__ __forceinline__ const ShortStatistics* Statistics(int i) {
    return reinterpret_cast<const ShortStatistics*>(tiles::SharedMemory() + Traits::kStatistics +
                                                    i * Traits::kStatisticsBytes);
  }
  __device__ __forceinline__ int32_t Key(int r) const { return row() + 8 * r; }
  __device__ __forceinline__ void ReceiveColumn() {
    tiles::WaitForProducts<0>();
    tiles::Receive(grad_k);
    tiles::Receive(grad_v);
  }

  /// Calls store(step, dS^T) for every 16 queries; dK and dV stay under way.
  template <class Store>
  __device__ __forceinline__ void ColumnBlock(uint32_t (&p_weights)[kParts][kPart / kStep][4],
                                              uint32_t (&ds_weights)[kParts][kPart / kStep][4],
                                              uint32_t q, uint32_t grad, int statistics,
                                              Store&& store) {
#pragma unroll
    for (int part = 0; part < kGroupRows; part += kPart) {
      float s[kPart / 2];  // 64 keys x kPart queries
      float dp[kPart / 2];
      tiles::BeginProducts();
      ProductWithRows<T, Block, Block>(s, shared_ + Traits::kK, 0, q, part);
      tiles::CommitProducts();
      tiles::BeginProducts();
      ProductWithRows<T, Block, Block>(dp, shared_ + Traits::kV, 0, grad, part);
      tiles::CommitProducts();
      tiles::WaitForProducts<1>();
      tiles::Receive(s);
      float delta[kPart / 4];
#pragma unroll
      for (int i = 0; i < kPart / 2; i += 4) {
        // Log Z and D of two queries.
        const float4 of = *reinterpret_cast<const float4*>(
            &Statistics(statistics)[part + 2 * i + 2 * tiles::LaneInGroup()]);
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          s[i + e] = tiles::Exp2(fmaf(s[i + e], scale_log2_, e % 2 == 0 ? -of.x : -of.z));
        }
        delta[i / 2] = of.y;
        delta[i / 2 + 1] = of.w;
      }
      PackWeights<T>(p_weights[part / kPart], s);
      tiles::WaitForProducts<0>();
      tiles::Receive(dp);
#pragma unroll
      for (int i = 0; i < kPart / 2; ++i) s[i] *= dp[i] - delta[i / 4 * 2 + i % 2];
      PackWeights<T>(ds_weights[part / kPart], s);
#pragma unroll
      for (int i = 0; i < kPart / kStep; ++i) store(part / kStep + i, ds_weights[part / kPart][i]);
      tiles::BeginProducts();
      ProductOfWeights<T, Block>(grad_v, p_weights[part / kPart], grad, part);
      ProductOfWeights<T, Block>(grad_k, ds_weights[part / kPart], q, part);
      tiles::CommitProducts();
    }
  }

  uint32_t shared_;
  float scale_log2_;
  uint32_t warp_row_;
};

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_SHORT_GRADIENTS_CUH_
