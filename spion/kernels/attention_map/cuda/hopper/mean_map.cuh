// Second kernel of the map for Hopper. A thread block owns 256 x 128 entries and goes over all
// heads:
//
//   for each head: S = Q K^T, A += 2^S / Z  -> A / (B H)
#ifndef SPION_KERNELS_ATTENTION_MAP_CUDA_HOPPER_MEAN_MAP_CUH_
#define SPION_KERNELS_ATTENTION_MAP_CUDA_HOPPER_MEAN_MAP_CUH_

#include <cstdint>

#include "spion/kernels/attention_map/cuda/hopper/teams.cuh"

namespace spion::cuda::hopper {

template <int kHeadDim>
struct MeanMapTraits {
  using Queries = Tile<kMapQueries, kHeadDim>;
  using Keys = Tile<kMapKeys, kHeadDim>;
  static constexpr uint32_t kStatisticsBytes = kMapQueries * sizeof(RowNormalizer);
  static constexpr uint32_t kKeys = Queries::kBytes;
  static constexpr uint32_t kStatistics = kKeys + Keys::kBytes;
  using Rings = Ring<kHeadDim == 128 ? 2 : 4, kStatistics + kStatisticsBytes, ReadBy::kLoads>;
  /// At head dimension 64 the special function unit is a limit, at 128 the L2 cache is.
  static constexpr int kByArithmetic = kHeadDim == 64 ? 8 : 0;
  static constexpr int kSharedBytes = Rings::kBytes + Rings::kBarrierBytes;
};

/// Adds the probabilities of scores to sums. One exponential of kByArithmetic is made by
/// arithmetic, none if 0; if one is, no score is -infinity. Scores are at most some 20 above their
/// row's reference.
template <int kByArithmetic, int kValues>
__device__ __forceinline__ void AddProbabilities(float (&sums)[kValues], const float (&s)[kValues],
                                                 float scale_log2, const float (&reference)[2],
                                                 const float (&inverse_sum)[2]) {
#pragma unroll
  for (int i = 0; i < kValues; ++i) {
    const int r = i / 2 % 2;
    const float x = fmaf(s[i], scale_log2, -reference[r]);
    const bool by_arithmetic =
        kByArithmetic > 0 && i % (kByArithmetic > 0 ? kByArithmetic : 1) == 0;
    sums[i] =
        fmaf(by_arithmetic ? tiles::Exp2ByArithmetic(x) : tiles::Exp2(x), inverse_sum[r], sums[i]);
  }
}

/// Calls f(example, head, valid) for all heads that have keys from `column` on.
template <typename T, class F>
__device__ __forceinline__ void ForHeadsWithKeys(const AttentionMapCall<T>& call, int32_t column,
                                                 F&& f) {
  const auto length = static_cast<int32_t>(call.length);
  const auto heads = static_cast<int32_t>(call.heads);
  for (int32_t example = 0; example < static_cast<int32_t>(call.batch); ++example) {
    const tiles::ValidKeys valid(call.padding, length, example);
    if (column >= valid.length()) continue;
#pragma unroll 1
    for (int32_t head = 0; head < heads; ++head) f(example, head, valid);
  }
}

/// Begins while the kernel of the statistics ends. Grid: 128 columns x 256 rows of the map, [L, L]:
/// thread block (x, y) has columns kMapKeys x .. and rows kMapQueries y ... q, k: [B, H, L,
/// kHeadDim].
template <typename T, int kHeadDim>
__global__ void __launch_bounds__(kMapThreads, 1)
    MeanMapKernel(const __grid_constant__ MapArguments<T> arguments) {
  using Traits = MeanMapTraits<kHeadDim>;
  using Queries = typename Traits::Queries;
  using Keys = typename Traits::Keys;
  using Rings = typename Traits::Rings;
  constexpr int kParts = kMapKeys / kColumns;
  const AttentionMapCall<T>& call = arguments.call;
  const auto length = static_cast<int32_t>(call.length);
  const auto first = static_cast<int32_t>(blockIdx.y) * kMapQueries;
  const auto column = static_cast<int32_t>(blockIdx.x) * kMapKeys;
  RunMapTeam<Rings>(
      [&](Rings& ring) {
        tiles::WaitForKernelBefore();  // for its statistics; nothing else is touched that it
                                       // touches
        const uint32_t statistics_bytes = min(kMapQueries, length - first) * sizeof(RowNormalizer);
        ForHeadsWithKeys(call, column, [&](int32_t example, int32_t head, const auto&) {
          ring.BeginFill(Queries::kBytes + Keys::kBytes + statistics_bytes);
          tiles::CopyTile(ring.tile(), arguments.q, ring.barrier(), first, head, example);
          tiles::CopyTile(ring.tile() + Traits::kKeys, arguments.k, ring.barrier(), column, head,
                          example);
          tiles::CopyBulk(
              ring.tile() + Traits::kStatistics,
              call.row_statistics + 2 * ((example * call.heads + head) * length + first),
              statistics_bytes, ring.barrier());
          ring.Next();
        });
      },
      [&](Rings& ring, uint32_t group) {
        const float scale_log2 = call.scale * tiles::kLog2E;
        const uint32_t thread_row = threadIdx.x / 32 * 16 + tiles::LaneGroup();
        float sums[kParts][kColumns / 2] = {};
        ForHeadsWithKeys(call, column, [&](int32_t, int32_t, const tiles::ValidKeys& valid) {
          ring.WaitUntilFull();
          float reference[2];
          float inverse_sum[2];
#pragma unroll
          for (int r = 0; r < 2; ++r) {
            uint32_t words[2];
            tiles::LoadShared(words, ring.tile() + Traits::kStatistics +
                                         (thread_row + 8 * r) * sizeof(RowNormalizer));
            reference[r] = __uint_as_float(words[0]);
            inverse_sum[r] = __uint_as_float(words[1]);
          }
          const bool all_valid = valid.all_before(column + kMapKeys);
#pragma unroll
          for (int part = 0; part < kParts; ++part) {
            float s[kColumns / 2];
            tiles::BeginProducts();
            ProductWithRows<T, Queries, Keys>(s, ring.tile(), group * kGroupRows,
                                              ring.tile() + Traits::kKeys, part * kColumns);
            tiles::CommitProducts();
            tiles::WaitForProducts<0>();
            tiles::Receive(s);
            if (part + 1 == kParts) ring.Release();
            if (all_valid) {
              AddProbabilities<Traits::kByArithmetic>(sums[part], s, scale_log2, reference,
                                                      inverse_sum);
            } else {
              MaskKeys(s, valid, column + part * kColumns);
              AddProbabilities<0>(sums[part], s, scale_log2, reference, inverse_sum);
            }
          }
          ring.Next();
        });
        const auto row = first + static_cast<int32_t>(thread_row);
        if (row >= length) return;  // 16 rows are there, or none
        const float factor = 1.0F / static_cast<float>(call.batch * call.heads);
#pragma unroll
        for (int r = 0; r < 2; ++r) {
          float* to = call.map + int64_t{row + 8 * r} * length + column + 2 * tiles::LaneInGroup();
#pragma unroll
          for (int part = 0; part < kParts; ++part) {
#pragma unroll
            for (int i = 0; i < kColumns / 2; i += 4) {
              const int32_t at = part * kColumns + 2 * i;
              if (column + at >= length) break;
              const float(&of)[kColumns / 2] = sums[part];
              *reinterpret_cast<float2*>(to + at) = {factor * of[i + 2 * r],
                                                     factor * of[i + 2 * r + 1]};
            }
          }
        }
      });
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_ATTENTION_MAP_CUDA_HOPPER_MEAN_MAP_CUH_
