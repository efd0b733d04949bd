#if defined(__x86_64__)

#include "spion/kernels/cpu_simd/probe.h"
#include "spion/kernels/cpu_simd/probe_impl.h"
#include "spion/kernels/cpu_simd/simd_avx2.h"

namespace spion::cpu_simd {

void ProbeAvx2(const ProbeCall& call) { Probe<Avx2>(call); }

}  // namespace spion::cpu_simd

#endif  // defined(__x86_64__)
