#include "spion/kernels/cpu_simd/probe.h"
#include "spion/kernels/cpu_simd/probe_impl.h"
#include "spion/kernels/cpu_simd/simd_portable.h"

namespace spion::cpu_simd {

void ProbePortable(const ProbeCall& call) { Probe<Portable>(call); }

}  // namespace spion::cpu_simd
