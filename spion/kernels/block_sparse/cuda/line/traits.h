// The sizes of the kernels by lines, lines.cuh: threads, shared memory, groups. For host code,
// which plans launches by them, and device code. T is float for products in tf32.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_TRAITS_H_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_TRAITS_H_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/common/block.h"

namespace spion::cuda {

template <int kBlock>
constexpr int kGroupWarps = kBlock / kChunk;
template <int kBlock>
constexpr int kGroupThreads = 32 * kGroupWarps<kBlock>;

/// Shared memory that a thread block has on every supported GPU.
constexpr int kMaxSharedBytes = 96 * 1024;

/// Groups that share a long line: at most 4, as shared memory and the registers (for so many
/// threads an SM) allow.
constexpr int LongGroups(int group_threads, int group_bytes, int threads_per_sm) {
  int groups = 4;
  while (groups > 1 &&
         (groups * group_threads > threads_per_sm || groups * group_bytes > kMaxSharedBytes)) {
    --groups;
  }
  return groups;
}

/// Of the rows of a block of Q: log2 Z and delta, D = rowsum(O dO).
struct LineStatistics {
  float lse_log2;
  float delta;
};

template <typename T, int kHeadDim, int kBlock>
struct LineForwardTraits {
  static constexpr int kTileBytes = kBlock * kHeadDim * static_cast<int>(sizeof(T));
  static constexpr int kStageBytes = 2 * kTileBytes;  // K, V
  static constexpr int kGroupBytes = 2 * kStageBytes;
  static constexpr int kThreadsPerSm =  // by registers
      sizeof(T) == 2 && kHeadDim <= 32 ? (kBlock == 64 ? 640 : 768) : 512;
  static constexpr int kLongGroups = LongGroups(kGroupThreads<kBlock>, kGroupBytes, kThreadsPerSm);
  static constexpr int kKeysAtOnce = kBlock < 64 ? kBlock : 64;  // in registers
};

template <typename T, int kHeadDim, int kBlock>
struct LineBackwardTraits {
  static constexpr int kTileBytes = kBlock * kHeadDim * static_cast<int>(sizeof(T));
  static constexpr int kStatsBytes = kBlock * static_cast<int>(sizeof(LineStatistics));
  static constexpr int kScoresBytes = kBlock * kBlock * static_cast<int>(sizeof(T));
  static constexpr bool kFusesDiagonal = kBlock <= 64;  // else dS does not fit beside the rest
  static constexpr int kLoadedBytes = 2 * kTileBytes;
  static constexpr int kStageBytes =
      kFusesDiagonal && kScoresBytes > kLoadedBytes ? kScoresBytes : kLoadedBytes;
  static constexpr int kThreadsPerSm =  // by registers
      sizeof(T) == 4 ? 384 : (kHeadDim <= 32 ? 512 : 256);

  // Of a group: its own Q, K, V, dO; two stages of K and V, or Q and dO; O of the next stage, which
  // is read before the next but one is copied; the statistics of its own rows of Q and of each
  // stage's.
  static constexpr uint32_t kQ = 0;
  static constexpr uint32_t kK = kTileBytes;
  static constexpr uint32_t kV = 2 * kTileBytes;
  static constexpr uint32_t kGrad = 3 * kTileBytes;
  static constexpr uint32_t kFirstStage = 4 * kTileBytes;
  static constexpr uint32_t kSecondStage = kFirstStage + kStageBytes;
  static constexpr uint32_t kOut = kSecondStage + kStageBytes;
  static constexpr uint32_t kOwnStats = kOut + kTileBytes;
  static constexpr uint32_t kFirstStats = kOwnStats + kStatsBytes;
  static constexpr uint32_t kSecondStats = kFirstStats + kStatsBytes;
  static constexpr int kGroupBytes = kSecondStats + kStatsBytes;

  static constexpr int kLongGroups = LongGroups(kGroupThreads<kBlock>, kGroupBytes, kThreadsPerSm);
};

/// Whether there are kernels for blocks of such a size, exact fp32 apart: LineMath multiplies rows
/// of as many columns, and a group's tiles fit shared memory. In fp32 a row's columns are shared
/// out over lanes for 32 of them; of 16-bit numbers with more than 64, a thread's share of dQ, dK
/// and dV is more than it has registers.
template <typename T, int kHeadDim, int kBlock>
constexpr bool kHasLines =
    (sizeof(T) == sizeof(float) ? kHeadDim == 32 : kHeadDim <= 64) &&
    LineForwardTraits<T, kHeadDim, kBlock>::kGroupBytes
        <= kMaxSharedBytes&& LineBackwardTraits<T, kHeadDim, kBlock>::kGroupBytes
        <= kMaxSharedBytes;

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_LINE_TRAITS_H_
