// See probe.h. Included only by files compiled for one instruction set.
#ifndef SPION_KERNELS_CPU_SIMD_PROBE_IMPL_H_
#define SPION_KERNELS_CPU_SIMD_PROBE_IMPL_H_

#include <cstdint>

#include "spion/kernels/cpu_simd/probe.h"
#include "spion/kernels/cpu_simd/transpose.h"
#include "spion/kernels/cpu_simd/vector_math.h"

namespace spion::cpu_simd {

template <class Simd>
void Probe(const ProbeCall& call) {
  for (int64_t i = 0; i < call.count; i += Simd::kLanes) {
    const typename Simd::Float x = Load<Simd>(call.x + i);
    Store<Simd>(call.exp2 + i, Exp2<Simd>(x));
    Store<Simd>(call.log2 + i, Log2<Simd>(x));
  }
  PackTransposed<Simd, 32>(call.matrix, 32, 16, 2.0F, call.transposed);
  RowDots<Simd, 32>(call.matrix, 32, call.matrix, 32, 16, 3.0F, call.row_dots);
}

}  // namespace spion::cpu_simd

#endif  // SPION_KERNELS_CPU_SIMD_PROBE_IMPL_H_
