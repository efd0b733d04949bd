#include "spion/kernels/attention_map/cpu/band.h"
#include "spion/kernels/attention_map/cpu/band_impl.h"
#include "spion/kernels/cpu_simd/simd_portable.h"

namespace spion::cpu::internal {

void MapBandPortable(const BandCall& call) { MapBandOfAnyDim<cpu_simd::Portable>(call); }

}  // namespace spion::cpu::internal
