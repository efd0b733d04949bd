#if defined(__x86_64__)

#include "spion/kernels/block_sparse/cpu/backward_rows.h"
#include "spion/kernels/block_sparse/cpu/forward_rows.h"
#include "spion/kernels/block_sparse/cpu/rows.h"
#include "spion/kernels/cpu_simd/simd_avx512.h"

namespace spion::cpu::internal {

void ForwardRowsAvx512(const ForwardCall& call) { ForwardRowsOfAnyDim<cpu_simd::Avx512>(call); }

void BackwardRowsAvx512(const BackwardCall& call) { BackwardRowsOfAnyDim<cpu_simd::Avx512>(call); }

}  // namespace spion::cpu::internal

#endif  // defined(__x86_64__)
