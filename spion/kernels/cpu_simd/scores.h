// Scores of a run of keys against packed queries. They are held transposed, [key][query]: queries
// are the lanes. So only Q is packed, once for many keys; K is read as it comes; and maximum, sum
// and rescaling of a softmax over keys are plain lane-wise operations.
//
// Included only by files that are compiled for one instruction set (see vector_math.h).
#ifndef SPION_KERNELS_CPU_SIMD_SCORES_H_
#define SPION_KERNELS_CPU_SIMD_SCORES_H_

#include <cstdint>

#include "spion/kernels/cpu_simd/tile_product.h"
#include "spion/kernels/cpu_simd/vector_math.h"

namespace spion::cpu_simd {

/// scores [keys][lanes] = K q_packed, where q_packed is [kDim][lanes] (see PackTransposed); `keys`
/// and `lanes` are multiples of 16.
template <class Simd, int kDim>
[[gnu::always_inline]] inline void Scores(const float* k, int64_t k_stride, int keys,
                                          const float* q_packed, int lanes, float* scores) {
  ForTileColumns<Simd>(lanes, [&](auto tile, int lane) {
    for (int key = 0; key < keys; key += Simd::kTileRows) {
      tile.Clear();
      tile.AddProduct({k + key * k_stride, k_stride, 1}, q_packed + lane, lanes, kDim);
      tile.StoreTo(scores + int64_t{key} * lanes + lane, lanes);
    }
  });
}

/// The running maximum (in powers of 2) and sum of an online softmax, for a vector of queries.
template <class Simd>
struct OnlineSoftmax {
  typename Simd::Float maximum;
  typename Simd::Float sum;

  /// Scores [keys][stride] become unnormalised probabilities relative to the new maximum. Returns
  /// the factor for everything that was accumulated before.
  [[gnu::always_inline]] inline typename Simd::Float Take(float* scores, int keys, int stride) {
    using Float = typename Simd::Float;
    const Float old_maximum = maximum;
    for (int key = 0; key < keys; ++key) {
      maximum = Max<Simd>(maximum, Load<Simd>(scores + int64_t{key} * stride));
    }
    Float added = {};
#pragma GCC unroll 4
    for (int key = 0; key < keys; ++key) {
      float* at = scores + int64_t{key} * stride;
      const Float p = Exp2<Simd>(Load<Simd>(at) - maximum);
      added += p;
      Store<Simd>(at, p);
    }
    const Float factor = Exp2<Simd>(old_maximum - maximum);
    sum = sum * factor + added;
    return factor;
  }
};

}  // namespace spion::cpu_simd

#endif  // SPION_KERNELS_CPU_SIMD_SCORES_H_
