// MeanAttentionMap of api.h with the instruction set as an argument, so that tests can run every
// build of the kernel on one machine.
#ifndef SPION_KERNELS_ATTENTION_MAP_CPU_MAP_INTERNAL_H_
#define SPION_KERNELS_ATTENTION_MAP_CPU_MAP_INTERNAL_H_

#include "absl/status/status.h"
#include "spion/base/parallel.h"
#include "spion/kernels/attention_map/api.h"
#include "spion/kernels/cpu_simd/instruction_set.h"

namespace spion::cpu::internal {

/// `set` must be one of SupportedInstructionSets().
absl::Status MeanAttentionMap(const AttentionMapCall<float>& call, const ParallelFor& parallel,
                              cpu_simd::InstructionSet set);

}  // namespace spion::cpu::internal

#endif  // SPION_KERNELS_ATTENTION_MAP_CPU_MAP_INTERNAL_H_
