#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "spion/base/parallel.h"
#include "spion/base/status.h"
#include "spion/kernels/attention_map/api.h"
#include "spion/kernels/attention_map/cpu/band.h"
#include "spion/kernels/attention_map/cpu/map_internal.h"
#include "spion/kernels/cpu_simd/instruction_set.h"
#include "spion/kernels/cpu_simd/key_padding.h"
#include "spion/kernels/cpu_simd/scratch.h"

namespace spion::cpu {
namespace internal {
namespace {

using BandFunction = void (*)(const BandCall&);

BandFunction MapBandFor(cpu_simd::InstructionSet set) {
#if defined(__x86_64__)
  if (set == cpu_simd::InstructionSet::kAvx512) return MapBandAvx512;
  if (set == cpu_simd::InstructionSet::kAvx2) return MapBandAvx2;
#endif
  (void)set;
  return MapBandPortable;
}

std::vector<MapHead> HeadsOf(const AttentionMapCall<float>& call) {
  std::vector<MapHead> heads;
  for (int64_t batch = 0; batch < call.batch; ++batch) {
    for (int64_t head = 0; head < call.heads; ++head) {
      heads.push_back({call.q.head(batch, head), call.k.head(batch, head),
                       cpu_simd::PaddingOf(call.padding, batch, call.length)});
    }
  }
  return heads;
}

}  // namespace

absl::Status MeanAttentionMap(const AttentionMapCall<float>& call, const ParallelFor& parallel,
                              cpu_simd::InstructionSet set) {
  RETURN_IF_ERROR(Validate(call));
  const std::vector<MapHead> heads = HeadsOf(call);
  if (heads.empty()) {
    std::fill_n(call.map, call.length * call.length, 0.0F);
    return absl::OkStatus();
  }
  const BandFunction map_band = MapBandFor(set);
  const int64_t bands = (call.length + kBandRows - 1) / kBandRows;
  parallel(bands, [&](int64_t task) {
    const cpu_simd::Scratch scratch(BandScratchFloats(call.length, call.head_dim));
    const int64_t first_row = task * kBandRows;
    map_band({.head_data = heads.data(),
              .heads = static_cast<int64_t>(heads.size()),
              .q_stride = call.q.row_stride,
              .k_stride = call.k.row_stride,
              .length = call.length,
              .head_dim = static_cast<int32_t>(call.head_dim),
              .scale = call.scale,
              .first_row = first_row,
              .rows = call.length - first_row < kBandRows ? kHalfBandRows : kBandRows,
              .map = call.map + first_row * call.length,
              .scratch = scratch.data()});
  });
  return absl::OkStatus();
}

}  // namespace internal

absl::Status MeanAttentionMap(const AttentionMapCall<float>& call, const ParallelFor& parallel) {
  return internal::MeanAttentionMap(call, parallel, cpu_simd::BestInstructionSet());
}

}  // namespace spion::cpu
