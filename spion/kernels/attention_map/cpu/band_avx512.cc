#if defined(__x86_64__)

#include "spion/kernels/attention_map/cpu/band.h"
#include "spion/kernels/attention_map/cpu/band_impl.h"
#include "spion/kernels/cpu_simd/simd_avx512.h"

namespace spion::cpu::internal {

void MapBandAvx512(const BandCall& call) { MapBandOfAnyDim<cpu_simd::Avx512>(call); }

}  // namespace spion::cpu::internal

#endif  // defined(__x86_64__)
