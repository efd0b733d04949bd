// Second kernel: the map. A thread block owns 64 x 64 entries of it and goes over all heads:
//
//   for each head: S = Q K^T, A += 2^(S - log2 Z)  -> A / (B H)
//
// Where a warp's tile is 32 x 32, four warps cover the 64 x 64 and the other four take every second
// head; their sums are added in the end. Where it is 16 x 32, eight warps cover it.
#ifndef SPION_KERNELS_ATTENTION_MAP_CUDA_MEAN_MAP_CUH_
#define SPION_KERNELS_ATTENTION_MAP_CUDA_MEAN_MAP_CUH_

#include <cstdint>

#include "spion/kernels/attention_map/call.h"
#include "spion/kernels/attention_map/cuda/scores.cuh"
#include "spion/kernels/cuda_tiles/exponent.cuh"
#include "spion/kernels/cuda_tiles/rows.cuh"
#include "spion/kernels/cuda_tiles/valid_keys.cuh"

namespace spion::cuda {

constexpr int kMapSide = 64;
constexpr int kMapWarps = 8;

template <class Math, int kHeadDim>
struct MapTraits {
  using Tile = ScoreTile<Math, kHeadDim>;
  static constexpr int kTilesAcross = kMapSide / Tile::kKeys;
  static constexpr int kTiles = kTilesAcross * (kMapSide / Tile::kRows);
  static constexpr int kGroups = kMapWarps / kTiles;  // of warps, that share out the heads
  static constexpr int kThreadBlocksPerSm =
      Math::kElementsPerWord == 2 && Tile::kShare <= 8 ? 2 : 1;
};

/// Goes over all heads of all examples, some heads a time.
struct HeadCursor {
  uint32_t example;
  uint32_t head;

  __device__ __forceinline__ HeadCursor(uint32_t first, uint32_t heads) : example(0), head(first) {
    Carry(heads);
  }
  __device__ __forceinline__ void Advance(uint32_t step, uint32_t heads) {
    head += step;
    Carry(heads);
  }

 private:
  __device__ __forceinline__ void Carry(uint32_t heads) {
    for (; head >= heads; head -= heads) ++example;
  }
};

/// What a warp's tile needs of one head.
template <class Math, int kHeadDim>
struct HeadTile {
  using Tile = ScoreTile<Math, kHeadDim>;

  typename Tile::Queries q;
  typename Tile::Keys k;
  float2 statistics[Tile::kRowTiles][2];  // RowStatistics of rows g, g + 8
  tiles::ValidKeys valid;

  __device__ __forceinline__ void Load(const AttentionMapCall<typename Math::Element>& call,
                                       const HeadCursor& at, int32_t row, int32_t key) {
    using Pointer = typename Tile::Pointer;
    const auto length = static_cast<int32_t>(call.length);
    LoadTiles(k, Pointer(call.k.head(at.example, at.head), call.k.row_stride), key, length);
    LoadTiles(q, Pointer(call.q.head(at.example, at.head), call.q.row_stride), row, length);
    const auto* of_rows = reinterpret_cast<const float2*>(call.row_statistics) +
                          (at.example * call.heads + at.head) * call.length;
#pragma unroll
    for (int i = 0; i < Tile::kRowTiles; ++i) {
      const int32_t first = RowWithin(row + kTileRows * i, length) + tiles::LaneGroup();
      statistics[i][0] = __ldg(of_rows + first);
      statistics[i][1] = __ldg(of_rows + first + 8);
    }
    valid = tiles::ValidKeys(call.padding, length, static_cast<int32_t>(at.example));
  }

  /// log2 of the probabilities; -infinity for padded keys and for rows without valid keys.
  __device__ __forceinline__ void LogProbabilities(typename Tile::Scores& s, float scale_log2,
                                                   int32_t key) {
    RoundTiles(q);
    RoundTiles(k);
    Tile::Multiply(s, q, k);
#pragma unroll
    for (int i = 0; i < Tile::kRowTiles; ++i) {
#pragma unroll
      for (auto& tile : s[i]) {
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          const float2 of_row = statistics[i][e / 2];
          tile[e] = fmaf(tile[e], scale_log2, -of_row.x) - of_row.y;
        }
      }
    }
    if (!valid.all_before(key + Tile::kKeys)) tiles::MaskKeys(s, valid, key);
  }
};

/// sum += 2^s
template <int kRowTiles, int kTiles>
__device__ __forceinline__ void AddExponentials(float (&sum)[kRowTiles][kTiles][4],
                                                const float (&s)[kRowTiles][kTiles][4]) {
#pragma unroll
  for (int i = 0; i < kRowTiles; ++i) {
#pragma unroll
    for (int t = 0; t < kTiles; ++t) {
#pragma unroll
      for (int e = 0; e < 4; ++e) sum[i][t][e] += tiles::Exp2(s[i][t][e]);
    }
  }
}

/// Adds the second group's sums to the first group's. By all threads of the block; a lane's values
/// are 32 floats apart, so no two lanes meet in a bank.
template <int kWarpsPerGroup, int kRowTiles, int kTiles>
__device__ __forceinline__ void JoinGroups(float (&sum)[kRowTiles][kTiles][4], int group,
                                           int in_group) {
  __shared__ float second[kWarpsPerGroup][kRowTiles][kTiles][4][32];
  const int lane = static_cast<int>(threadIdx.x) % 32;
  auto& of_warp = second[in_group];
  if (group == 1) {
#pragma unroll
    for (int i = 0; i < kRowTiles; ++i) {
#pragma unroll
      for (int t = 0; t < kTiles; ++t) {
#pragma unroll
        for (int e = 0; e < 4; ++e) of_warp[i][t][e][lane] = sum[i][t][e];
      }
    }
  }
  __syncthreads();  // the second group's sums are written
  if (group == 0) {
#pragma unroll
    for (int i = 0; i < kRowTiles; ++i) {
#pragma unroll
      for (int t = 0; t < kTiles; ++t) {
#pragma unroll
        for (int e = 0; e < 4; ++e) sum[i][t][e] += of_warp[i][t][e][lane];
      }
    }
  }
}

/// map[row ..][column ..] = factor * sum, as far as the map goes.
template <int kRowTiles, int kTiles>
__device__ __forceinline__ void StoreMap(const float (&sum)[kRowTiles][kTiles][4], float factor,
                                         float* map, int32_t length, int32_t row, int32_t column) {
#pragma unroll
  for (int i = 0; i < kRowTiles; ++i) {
    if (row + kTileRows * i >= length) break;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      float* to = map + int64_t{row + kTileRows * i + 8 * r + tiles::LaneGroup()} * length +
                  column + 2 * tiles::LaneInGroup();
#pragma unroll
      for (int t = 0; t < kTiles; ++t) {
        if (column + 8 * t >= length) break;
        *reinterpret_cast<float2*>(to + 8 * t) = {factor * sum[i][t][2 * r],
                                                  factor * sum[i][t][2 * r + 1]};
      }
    }
  }
}

/// Grid: 64 columns x 64 rows of the map, [L, L], of thread blocks of kMapWarps warps: (x, y) has
/// columns 64 x .. and rows 64 y ... q, k: [B, H, L, kHeadDim].
template <class Math, int kHeadDim>
__global__ void __launch_bounds__(32 * kMapWarps, (MapTraits<Math, kHeadDim>::kThreadBlocksPerSm))
    MeanMapKernel(const __grid_constant__ AttentionMapCall<typename Math::Element> call) {
  using Traits = MapTraits<Math, kHeadDim>;
  using Tile = typename Traits::Tile;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int group = warp / Traits::kTiles;
  const int in_group = warp % Traits::kTiles;
  const auto row =
      static_cast<int32_t>(blockIdx.y) * kMapSide + in_group / Traits::kTilesAcross * Tile::kRows;
  const auto column =
      static_cast<int32_t>(blockIdx.x) * kMapSide + in_group % Traits::kTilesAcross * Tile::kKeys;
  const auto batch = static_cast<uint32_t>(call.batch);
  const auto heads = static_cast<uint32_t>(call.heads);
  const float scale_log2 = call.scale * tiles::kLog2E;

  typename Tile::Scores sum = {};
  HeadTile<Math, kHeadDim> tile;
  HeadCursor at(group, heads);
  if (at.example < batch) tile.Load(call, at, row, column);
  while (at.example < batch) {
    typename Tile::Scores s;
    const bool any = column < tile.valid.length();
    if (any) tile.LogProbabilities(s, scale_log2, column);
    at.Advance(Traits::kGroups, heads);
    if (at.example < batch) tile.Load(call, at, row, column);  // during the exponentials
    if (any) AddExponentials(sum, s);
  }

  if constexpr (Traits::kGroups == 2) {
    JoinGroups<Traits::kTiles>(sum, group, in_group);
    if (group == 1) return;
  } else {
    static_assert(Traits::kGroups == 1);
  }
  const float factor = 1.0F / static_cast<float>(call.batch * call.heads);
  StoreMap(sum, factor, call.map, static_cast<int32_t>(call.length), row, column);
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_ATTENTION_MAP_CUDA_MEAN_MAP_CUH_
