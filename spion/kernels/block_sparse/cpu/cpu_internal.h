// Forward and Backward of api.h with the instruction set as an argument, so that tests can run
// every build of the kernel on one machine.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CPU_CPU_INTERNAL_H_
#define SPION_KERNELS_BLOCK_SPARSE_CPU_CPU_INTERNAL_H_

#include "absl/status/status.h"
#include "spion/base/parallel.h"
#include "spion/kernels/block_sparse/cpu/rows.h"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/common/head_tensor.h"
#include "spion/kernels/cpu_simd/instruction_set.h"

namespace spion::cpu::internal {

/// `set` must be one of SupportedInstructionSets().
absl::Status Forward(const BlockSparseForward<float>& call, const ParallelFor& parallel,
                     cpu_simd::InstructionSet set);
absl::Status Backward(const BlockSparseBackward<float>& call, const ParallelFor& parallel,
                      cpu_simd::InstructionSet set);

/// The part of the problem that belongs to one head of one example.
Head HeadOf(const BlockSparseProblem& problem, const HeadTensor<const float>& q,
            const HeadTensor<const float>& k, const HeadTensor<const float>& v, int64_t batch,
            int64_t head);

/// The first block row of part `part` of `parts`, contiguous and with about equal numbers of kept
/// blocks. Part `parts` starts at n.
int32_t FirstRowOfPart(const Head& head, int32_t blocks_per_side, int64_t part, int64_t parts);

}  // namespace spion::cpu::internal

#endif  // SPION_KERNELS_BLOCK_SPARSE_CPU_CPU_INTERNAL_H_
