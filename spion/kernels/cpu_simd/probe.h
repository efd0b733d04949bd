// The vector functions as compiled for each instruction set, on arrays, for their test.
#ifndef SPION_KERNELS_CPU_SIMD_PROBE_H_
#define SPION_KERNELS_CPU_SIMD_PROBE_H_

#include <cstdint>

namespace spion::cpu_simd {

/// Arrays hold `count` floats, a multiple of 16; `transposed` is [32][16] from `matrix` [16][32].
struct ProbeCall {
  const float* x;
  int64_t count;
  float* exp2;
  float* log2;
  const float* matrix;
  float* transposed;
  float* row_dots;  // [16]: each row of `matrix` with itself
};

void ProbePortable(const ProbeCall& call);
void ProbeAvx2(const ProbeCall& call);
void ProbeAvx512(const ProbeCall& call);

}  // namespace spion::cpu_simd

#endif  // SPION_KERNELS_CPU_SIMD_PROBE_H_
