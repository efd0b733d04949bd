#include "spion/kernels/block_sparse/cpu/backward_rows.h"
#include "spion/kernels/block_sparse/cpu/forward_rows.h"
#include "spion/kernels/block_sparse/cpu/rows.h"
#include "spion/kernels/cpu_simd/simd_portable.h"

namespace spion::cpu::internal {

void ForwardRowsPortable(const ForwardCall& call) { ForwardRowsOfAnyDim<cpu_simd::Portable>(call); }

void BackwardRowsPortable(const BackwardCall& call) {
  BackwardRowsOfAnyDim<cpu_simd::Portable>(call);
}

}  // namespace spion::cpu::internal
