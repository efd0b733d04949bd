#if defined(__x86_64__)

#include "spion/kernels/attention_map/cpu/band.h"
#include "spion/kernels/attention_map/cpu/band_impl.h"
#include "spion/kernels/cpu_simd/simd_avx2.h"

namespace spion::cpu::internal {

void MapBandAvx2(const BandCall& call) { MapBandOfAnyDim<cpu_simd::Avx2>(call); }

}  // namespace spion::cpu::internal

#endif  // defined(__x86_64__)
