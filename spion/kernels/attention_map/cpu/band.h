// The inner level of the CPU kernel: one band of rows of the mean attention map over all examples
// and heads, on one thread. band_<set>.cc compile the template of band_impl.h for one instruction
// set each; mean_attention_map.cc chooses one and spreads the bands over threads.
//
// Plain structs of pointers only: files compiled for different instruction sets include this.
#ifndef SPION_KERNELS_ATTENTION_MAP_CPU_BAND_H_
#define SPION_KERNELS_ATTENTION_MAP_CPU_BAND_H_

#include <cstdint>

#include "spion/kernels/cpu_simd/padding.h"

namespace spion::cpu::internal {

/// Rows of a band (two AVX-512 vectors), and of the last one where L is an odd multiple of 16.
inline constexpr int kBandRows = 32;
inline constexpr int kHalfBandRows = 16;

/// Keys whose scores are exponentiated while still in the first-level cache: 8 KB of them.
inline constexpr int kPanelKeys = 64;

/// One head of one example.
struct MapHead {
  const float* q;
  const float* k;
  cpu_simd::Padding padding;
};

struct BandCall {
  const MapHead* head_data;  // [heads]
  int64_t heads;             // B * H
  int64_t q_stride, k_stride;
  int64_t length;
  int32_t head_dim;
  float scale;
  int64_t first_row;
  int32_t rows;    // kBandRows or kHalfBandRows
  float* map;      // [rows, L]: the band's first row
  float* scratch;  // [BandScratchFloats]
};

/// Q transposed, the exponentials and their weighted sums [L][rows], and a maximum for each panel.
constexpr int64_t BandScratchFloats(int64_t length, int64_t head_dim) {
  const int64_t panels = (length + kPanelKeys - 1) / kPanelKeys;
  return kBandRows * (head_dim + 2 * length + panels);
}

void MapBandPortable(const BandCall& call);
void MapBandAvx2(const BandCall& call);
void MapBandAvx512(const BandCall& call);

}  // namespace spion::cpu::internal

#endif  // SPION_KERNELS_ATTENTION_MAP_CPU_BAND_H_
