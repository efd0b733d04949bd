// A band of the mean attention map, for one instruction set (included by band_<set>.cc).
//
// The band's queries are the lanes (see scores.h). For each head, panel by panel: scores, then
// exponentials relative to the maximum so far, kept with that maximum. When the head's normaliser
// is known, each panel is corrected to the final maximum and added to the band's sum.
#ifndef SPION_KERNELS_ATTENTION_MAP_CPU_BAND_IMPL_H_
#define SPION_KERNELS_ATTENTION_MAP_CPU_BAND_IMPL_H_

#include <cstdint>

#include "spion/kernels/attention_map/cpu/band.h"
#include "spion/kernels/common/head_dim.h"
#include "spion/kernels/cpu_simd/scores.h"
#include "spion/kernels/cpu_simd/transpose.h"
#include "spion/kernels/cpu_simd/valid_keys.h"
#include "spion/kernels/cpu_simd/vector_math.h"

namespace spion::cpu::internal {

template <class Simd, int kRows>
struct Band {
  static constexpr int kVectors = kRows / Simd::kLanes;

  float* q_packed;      // [kDim][kRows]
  float* exponentials;  // [L][kRows]
  float* sum;           // [L][kRows]
  float* maxima;        // [panels][kRows]
};

/// The exponentials of one head's panels; `softmax` ends as the head's.
template <class Simd, int kDim, int kRows>
void ExponentiateHead(const BandCall& call, const MapHead& head, const Band<Simd, kRows>& band,
                      cpu_simd::OnlineSoftmax<Simd> (&softmax)[Band<Simd, kRows>::kVectors]) {
  for (int64_t first_key = 0; first_key < call.length; first_key += kPanelKeys) {
    const int64_t left = call.length - first_key;
    const int count = left < kPanelKeys ? static_cast<int>(left) : kPanelKeys;
    const cpu_simd::ValidKeys<Simd> keys(head.padding, first_key, count);
    if (keys.end == 0) continue;
    float* panel = band.exponentials + first_key * kRows;
    float* maxima = band.maxima + first_key / kPanelKeys * kRows;
    cpu_simd::Scores<Simd, kDim>(head.k + first_key * call.k_stride, call.k_stride, count,
                                 band.q_packed, kRows, panel);
    keys.FillPadded(panel, kRows, -__builtin_inff());
    for (int j = 0; j < Band<Simd, kRows>::kVectors; ++j) {
      softmax[j].Take(panel + j * Simd::kLanes, keys.end, kRows);
      cpu_simd::Store<Simd>(maxima + j * Simd::kLanes, softmax[j].maximum);
    }
  }
}

/// sum += probabilities, for the keys that ExponentiateHead went over.
template <class Simd, int kRows>
void AddHead(const BandCall& call, const MapHead& head, const Band<Simd, kRows>& band,
             const cpu_simd::OnlineSoftmax<Simd> (&softmax)[Band<Simd, kRows>::kVectors]) {
  for (int64_t first_key = 0; first_key < call.length; first_key += kPanelKeys) {
    const int64_t left = call.length - first_key;
    const int count = left < kPanelKeys ? static_cast<int>(left) : kPanelKeys;
    const cpu_simd::ValidKeys<Simd> keys(head.padding, first_key, count);
    if (keys.end == 0) continue;
    const float* maxima = band.maxima + first_key / kPanelKeys * kRows;
    typename Simd::Float weight[Band<Simd, kRows>::kVectors];
    for (int j = 0; j < Band<Simd, kRows>::kVectors; ++j) {
      const auto correction = cpu_simd::Load<Simd>(maxima + j * Simd::kLanes) - softmax[j].maximum;
      weight[j] = cpu_simd::Exp2<Simd>(correction) / softmax[j].sum;
    }
    for (int64_t key = first_key; key < first_key + keys.end; ++key) {
      for (int j = 0; j < Band<Simd, kRows>::kVectors; ++j) {
        const int64_t at = key * kRows + j * Simd::kLanes;
        cpu_simd::Store<Simd>(band.sum + at,
                              cpu_simd::Load<Simd>(band.sum + at) +
                                  weight[j] * cpu_simd::Load<Simd>(band.exponentials + at));
      }
    }
  }
}

template <class Simd, int kDim, int kRows>
void MapBand(const BandCall& call) {
  const int64_t cells = call.length * kRows;
  const Band<Simd, kRows> band = {
      .q_packed = call.scratch,
      .exponentials = call.scratch + kDim * kRows,
      .sum = call.scratch + kDim * kRows + cells,
      .maxima = call.scratch + kDim * kRows + 2 * cells,
  };
  for (int64_t i = 0; i < cells; i += Simd::kLanes) {
    cpu_simd::Store<Simd>(band.sum + i, typename Simd::Float{});
  }
  for (int64_t i = 0; i < call.heads; ++i) {
    const MapHead& head = call.head_data[i];
    cpu_simd::PackTransposed<Simd, kDim>(head.q + call.first_row * call.q_stride, call.q_stride,
                                         kRows, call.scale * cpu_simd::kLog2E, band.q_packed);
    cpu_simd::OnlineSoftmax<Simd> softmax[Band<Simd, kRows>::kVectors];
    for (auto& s : softmax) {
      s.maximum = cpu_simd::Broadcast<Simd>(-__builtin_inff());
      s.sum = typename Simd::Float{};
    }
    ExponentiateHead<Simd, kDim, kRows>(call, head, band, softmax);
    AddHead<Simd, kRows>(call, head, band, softmax);
  }
  cpu_simd::PackTransposed<Simd, kRows>(band.sum, kRows, static_cast<int>(call.length),
                                        1.0F / static_cast<float>(call.heads), call.map);
}

template <class Simd, int kDim>
void MapBandOfAnyHeight(const BandCall& call) {
  if (call.rows == kBandRows) return MapBand<Simd, kDim, kBandRows>(call);
  return MapBand<Simd, kDim, kHalfBandRows>(call);
}

template <class Simd>
void MapBandOfAnyDim(const BandCall& call) {
  DispatchHeadDim(call.head_dim, [&]<int kDim>() { MapBandOfAnyHeight<Simd, kDim>(call); });
}

}  // namespace spion::cpu::internal

#endif  // SPION_KERNELS_ATTENTION_MAP_CPU_BAND_IMPL_H_
