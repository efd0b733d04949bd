// Which instruction set the CPU kernels use. The same kernel templates are compiled once for each
// (simd_portable.h, simd_avx2.h, simd_avx512.h) and one build is chosen at run time.
#ifndef SPION_KERNELS_CPU_SIMD_INSTRUCTION_SET_H_
#define SPION_KERNELS_CPU_SIMD_INSTRUCTION_SET_H_

#include <vector>

namespace spion::cpu_simd {

enum class InstructionSet { kPortable, kAvx2, kAvx512 };

/// "portable", "avx2", "avx512".
const char* Name(InstructionSet set);

/// What this processor (and operating system) can run, slowest first. Never empty.
const std::vector<InstructionSet>& SupportedInstructionSets();

/// The last, so the fastest, of SupportedInstructionSets().
InstructionSet BestInstructionSet();

}  // namespace spion::cpu_simd

#endif  // SPION_KERNELS_CPU_SIMD_INSTRUCTION_SET_H_
