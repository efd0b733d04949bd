#if defined(__x86_64__)

#include "spion/kernels/cpu_simd/probe.h"
#include "spion/kernels/cpu_simd/probe_impl.h"
#include "spion/kernels/cpu_simd/simd_avx512.h"

namespace spion::cpu_simd {

void ProbeAvx512(const ProbeCall& call) { Probe<Avx512>(call); }

}  // namespace spion::cpu_simd

#endif  // defined(__x86_64__)
