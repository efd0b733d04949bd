// What columns and rows of the one pass for Hopper share.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ONE_PASS_TRAITS_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ONE_PASS_TRAITS_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/hopper/backward.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/one_pass_units.cuh"

namespace spion::cuda::hopper {

template <typename T>
struct OnePassArguments {
  BlockSparseBackward<T> call;
  RowStatistics statistics;
  OnePassExchange exchange;
  tiles::TileMap q, k, v, grad_out;
  tiles::TileMap half_k;  // 64 keys
};

template <int kHeadDim>
struct OnePassTraits : Teams<1, 2> {
  // The copying warp has more to do than in other kernels: with 24 registers it is too slow.
  static constexpr int kComputeRegisters = 224;
  static constexpr int kCopyRegisters = 56;
  static constexpr int kParts = 1;
  static constexpr int kBlock = 128;
  static constexpr int kQueries = kHeadDim == 128 ? 64 : 128;  // of a column's step
  using Block = Tile<kBlock, kHeadDim>;                        // K, V
  using Step = Tile<kQueries, kHeadDim>;                       // Q, dO
  using HalfKeys = Tile<kGroupRows, kHeadDim>;                 // of a row's step
  using HalfScores = Tile<kGroupRows, kBlock>;                 // dS^T likewise
  static constexpr uint32_t kStatisticsBytes = kQueries * sizeof(float);
  static constexpr int kSteps = kBlock / kQueries;  // of a block
  using Own = Ring<1, 2 * Block::kBytes>;
  /// Of columns: Q, dO. Of rows: half of a K, its dS^T.
  static constexpr int kStages = 4;
  using OfSteps = Ring<kStages, 2 * Step::kBytes>;
  using Statistics = Ring<kStages, 2 * kStatisticsBytes, ReadBy::kLoads>;  // log2 Z, D

  struct Rings {
    static constexpr uint32_t kBytes =
        Own::kBytes + OfSteps::kBytes + Statistics::kBytes + UnitQueue::kBytes;
    static constexpr uint32_t kBarrierBytes = Own::kBarrierBytes + OfSteps::kBarrierBytes +
                                              Statistics::kBarrierBytes + UnitQueue::kBarrierBytes;

    Own own;
    OfSteps steps;
    Statistics statistics;
    UnitQueue units;

    __device__ __forceinline__ Rings(uint32_t tiles, uint32_t barriers)
        : own(tiles, barriers),
          steps(tiles + Own::kBytes, barriers + Own::kBarrierBytes),
          statistics(tiles + Own::kBytes + OfSteps::kBytes,
                     barriers + Own::kBarrierBytes + OfSteps::kBarrierBytes),
          units(
              tiles + Own::kBytes + OfSteps::kBytes + Statistics::kBytes,
              barriers + Own::kBarrierBytes + OfSteps::kBarrierBytes + Statistics::kBarrierBytes) {}
    __device__ __forceinline__ void Init(uint32_t warps) const {
      own.Init(warps);
      steps.Init(warps);
      statistics.Init(warps);
      units.Init(warps);
    }
  };
};

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ONE_PASS_TRAITS_CUH_
