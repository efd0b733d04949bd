// First kernel of the map for Hopper: every row's softmax normaliser, for every head. A unit is 256
// queries of a head:
//
//   load Q -> for each 128 keys: S = Q K^T, online softmax -> reference, 1 / Z relative to it
//
// A thread block stays for several units: the tiles of the next one are on their way while the last
// tiles of this one are multiplied.
#ifndef SPION_KERNELS_ATTENTION_MAP_CUDA_HOPPER_ROW_STATISTICS_CUH_
#define SPION_KERNELS_ATTENTION_MAP_CUDA_HOPPER_ROW_STATISTICS_CUH_

#include <cfloat>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "spion/kernels/attention_map/cuda/hopper/teams.cuh"

namespace spion::cuda::hopper {

/// The sums of 2^(scale_log2 s) over those of two rows' keys that one thread sees, rows g and g +
/// 8; the threads of a row meet only at the end. A sum is relative to 2^reference, which is the
/// first tile's maximum and moves only when a later tile's sum would be large: floats bear the
/// difference, and no tile but these few needs its maximum.
class LazyNormalizerSums {
 public:
  /// Scores of -infinity add nothing; scale_log2 is positive.
  template <int kValues>
  __device__ __forceinline__ void Add(const float (&s)[kValues], float scale_log2) {
    float low = SumOf<0>(s, scale_log2);
    float high = SumOf<1>(s, scale_log2);
    if (!(low + high <= kMostOfTile)) {
      if (!(low <= kMostOfTile)) low = Move<0>(s, scale_log2);
      if (!(high <= kMostOfTile)) high = Move<1>(s, scale_log2);
    }
    sums_[0] += low;
    sums_[1] += high;
  }

  /// Of a whole row, in all its threads.
  __device__ __forceinline__ RowNormalizer OfRow(int row) const {
    const float highest = tiles::RowMax(references_[row]);
    const float sum = tiles::RowSum(sums_[row] * tiles::Exp2(references_[row] - highest));
    return {highest, sum == 0 ? 0 : 1 / sum};
  }

 private:
  static constexpr float kMostOfTile = 0x1p20F;

  /// In two chains of additions, for they take longer than the rest.
  template <int kRow, int kValues>
  __device__ __forceinline__ float SumOf(const float (&s)[kValues], float scale_log2) const {
    float sums[2] = {};
#pragma unroll
    for (int i = 2 * kRow; i < kValues; i += 4) {
      sums[0] += tiles::Exp2(fmaf(s[i], scale_log2, -references_[kRow]));
      sums[1] += tiles::Exp2(fmaf(s[i + 1], scale_log2, -references_[kRow]));
    }
    return sums[0] + sums[1];
  }
  /// Makes the tile's maximum the reference. The tile's sum.
  template <int kRow, int kValues>
  __device__ __forceinline__ float Move(const float (&s)[kValues], float scale_log2) {
    float maximum = -INFINITY;
#pragma unroll
    for (int i = 2 * kRow; i < kValues; i += 4) maximum = fmaxf(maximum, fmaxf(s[i], s[i + 1]));
    const float before = references_[kRow];
    references_[kRow] = maximum * scale_log2;
    sums_[kRow] *= tiles::Exp2(before - references_[kRow]);
    return SumOf<kRow>(s, scale_log2);
  }

  float references_[2] = {-FLT_MAX, -FLT_MAX};  // finite, so that a score of -infinity stays one
  float sums_[2] = {};
};

template <int kHeadDim>
struct MapStatisticsTraits {
  using Queries = Tile<kMapQueries, kHeadDim>;
  using Keys = Tile<kMapKeys, kHeadDim>;
  /// At 128 they do not fit.
  static constexpr bool kQueriesInRegisters = kHeadDim == 64;
  using QueryRing =
      std::conditional_t<kQueriesInRegisters, Ring<1, Queries::kBytes, ReadBy::kLoads>,
                         Ring<2, Queries::kBytes>>;
  using Rings = RingPair<QueryRing, Ring<kHeadDim == 128 ? 3 : 4, Keys::kBytes>>;
  static constexpr int kSharedBytes = Rings::kBytes + Rings::kBarrierBytes;
};

/// Calls f(example, head, first, valid) for every gridDim.x-th unit, from blockIdx.x on: queries
/// first .. first + kMapQueries - 1 of a head.
template <typename T, class F>
__device__ __forceinline__ void ForStatisticsUnits(const AttentionMapCall<T>& call, F&& f) {
  const auto length = static_cast<int32_t>(call.length);
  const auto heads = static_cast<uint32_t>(call.heads);
  const auto row_blocks = static_cast<uint32_t>(length + kMapQueries - 1) / kMapQueries;
  const uint32_t units = static_cast<uint32_t>(call.batch) * heads * row_blocks;
#pragma unroll 1
  for (uint32_t unit = blockIdx.x; unit < units; unit += gridDim.x) {
    const uint32_t head_of_batch = unit / row_blocks;
    const auto example = static_cast<int32_t>(head_of_batch / heads);
    f(example, static_cast<int32_t>(head_of_batch % heads),
      static_cast<int32_t>(unit % row_blocks) * kMapQueries,
      tiles::ValidKeys(call.padding, length, example));
  }
}

/// Grid: as many thread blocks as there are multiprocessors, or units if these are fewer. q, k: [B,
/// H, L, kHeadDim]; row_statistics: [B, H, L].
template <typename T, int kHeadDim>
__global__ void __launch_bounds__(kMapThreads, 1)
    MapStatisticsKernel(const __grid_constant__ MapArguments<T> arguments) {
  using Traits = MapStatisticsTraits<kHeadDim>;
  using Queries = typename Traits::Queries;
  using Keys = typename Traits::Keys;
  using Rings = typename Traits::Rings;
  constexpr bool kQueriesInRegisters = Traits::kQueriesInRegisters;
  const AttentionMapCall<T>& call = arguments.call;
  tiles::LetNextKernelStart();
  RunMapTeam<Rings>(
      [&](Rings& rings) {
        auto& [queries, keys] = rings;
        ForStatisticsUnits(
            call, [&](int32_t example, int32_t head, int32_t first, const tiles::ValidKeys& valid) {
              if (valid.length() == 0) return;
              queries.BeginFill(Queries::kBytes);
              tiles::CopyTile(queries.tile(), arguments.q, queries.barrier(), first, head, example);
              queries.Next();
              for (int32_t key = 0; key < valid.length(); key += kMapKeys) {
                keys.BeginFill(Keys::kBytes);
                tiles::CopyTile(keys.tile(), arguments.k, keys.barrier(), key, head, example);
                keys.Next();
              }
            });
      },
      [&](Rings& rings, uint32_t group) {
        auto& [queries, keys] = rings;
        const float scale_log2 = call.scale * tiles::kLog2E;
        const auto give_queries_back = [&] {
          queries.Release();
          queries.Next();
        };
        ForStatisticsUnits(
            call, [&](int32_t example, int32_t head, int32_t first, const tiles::ValidKeys& valid) {
              LazyNormalizerSums sums;
              [[maybe_unused]] uint32_t q[Queries::kSteps][4];
              if (valid.length() > 0) {
                queries.WaitUntilFull();
                if constexpr (kQueriesInRegisters) {
                  Queries::LoadLeft(q, queries.tile(), threadIdx.x / 32 * 16);
                  give_queries_back();
                }
              }
#pragma unroll 1
              for (int32_t key = 0; key < valid.length(); key += kMapKeys) {
                float s[kMapKeys / 2];
                keys.WaitUntilFull();
                tiles::BeginProducts();
                if constexpr (kQueriesInRegisters) {
                  ProductWithRows<T, Keys>(s, q, keys.tile(), 0);
                } else {
                  ProductWithRows<T, Queries, Keys>(s, queries.tile(), group * kGroupRows,
                                                    keys.tile(), 0);
                }
                tiles::CommitProducts();
                tiles::WaitForProducts<0>();
                tiles::Receive(s);
                keys.Release();
                keys.Next();
                if (!valid.all_before(key + kMapKeys)) MaskKeys(s, valid, key);
                sums.Add(s, scale_log2);
              }
              if (!kQueriesInRegisters && valid.length() > 0) give_queries_back();
              const auto length = static_cast<int32_t>(call.length);
              auto* statistics = reinterpret_cast<RowNormalizer*>(call.row_statistics) +
                                 (example * call.heads + head) * length;
              const int32_t row =
                  first + static_cast<int32_t>(threadIdx.x / 32 * 16) + tiles::LaneGroup();
              const RowNormalizer low = sums.OfRow(0);
              const RowNormalizer high = sums.OfRow(1);
              if (tiles::LaneInGroup() != 0 || row >= length) return;  // 16 rows are there, or none
              statistics[row] = low;
              statistics[row + 8] = high;
            });
      });
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_ATTENTION_MAP_CUDA_HOPPER_ROW_STATISTICS_CUH_
