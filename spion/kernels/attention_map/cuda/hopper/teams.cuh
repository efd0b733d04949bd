// How the thread blocks of the map's kernels for Hopper are made up: four warpgroups that compute,
// 64 queries each, and one of which one thread copies for all of them.
#ifndef SPION_KERNELS_ATTENTION_MAP_CUDA_HOPPER_TEAMS_CUH_
#define SPION_KERNELS_ATTENTION_MAP_CUDA_HOPPER_TEAMS_CUH_

#include <cstdint>

#include "spion/kernels/attention_map/call.h"
#include "spion/kernels/cuda_hopper/mask_keys.cuh"
#include "spion/kernels/cuda_hopper/ring.cuh"
#include "spion/kernels/cuda_hopper/tiles.cuh"
#include "spion/kernels/cuda_tiles/exponent.cuh"
#include "spion/kernels/cuda_tiles/valid_keys.cuh"

namespace spion::cuda::hopper {

constexpr int kMapGroups = 4;
constexpr int kMapQueries = kMapGroups * kGroupRows;
constexpr int kMapKeys = 128;
constexpr int kMapThreads = (kMapGroups + 1) * kGroupThreads;
/// Of a thread: what the thread block starts with, the most that its threads can all have, and how
/// its warpgroups share it then.
constexpr int kMapStartRegisters = 96;
constexpr int kMapComputeRegisters = 112;
constexpr int kMapCopyRegisters = 24;
static_assert(kMapGroups * kMapComputeRegisters + kMapCopyRegisters <=
              (kMapGroups + 1) * kMapStartRegisters);
static_assert(kMapThreads * kMapStartRegisters <= 64 * 1024);

template <typename T>
struct MapArguments {
  AttentionMapCall<T> call;
  tiles::TileMap q;  // tiles of kMapQueries rows
  tiles::TileMap k;  // of kMapKeys
};

/// What makes probabilities of a row's scores: 2^(scale_log2 s - reference) / sum. Both kernels
/// take the reference from a score in one fused operation, which rounds the difference after it has
/// become small: of huge scores nothing is lost.
struct alignas(8) RowNormalizer {
  float reference;
  float inverse_sum;  // 0 where there is no valid key
};

/// Runs copy(rings) in one thread and compute(rings, group) in the warpgroups.
template <class Rings, class Copy, class Compute>
__device__ __forceinline__ void RunMapTeam(Copy&& copy, Compute&& compute) {
  const auto shared = static_cast<uint32_t>(__cvta_generic_to_shared(tiles::SharedMemory()));
  Rings rings(shared, shared + Rings::kBytes);
  if (threadIdx.x == 0) {
    rings.Init(kMapGroups * kGroupThreads / 32);
    tiles::PublishBarriers();
  }
  __syncthreads();
  const uint32_t group = __shfl_sync(tiles::kAllLanes, threadIdx.x / kGroupThreads, 0);
  if (group < kMapGroups) {
    tiles::TakeRegisters<kMapComputeRegisters>();
    compute(rings, group);
  } else {
    tiles::GiveRegistersBack<kMapCopyRegisters>();
    if (threadIdx.x == kMapGroups * kGroupThreads) copy(rings);
  }
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_ATTENTION_MAP_CUDA_HOPPER_TEAMS_CUH_
