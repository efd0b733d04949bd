#include "spion/kernels/cpu_simd/instruction_set.h"

namespace spion::cpu_simd {
namespace {

std::vector<InstructionSet> Detect() {
  std::vector<InstructionSet> sets = {InstructionSet::kPortable};
#if defined(__x86_64__)
  // The features must be those that the BUILD file's -m flags name.
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    sets.push_back(InstructionSet::kAvx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")) {
      sets.push_back(InstructionSet::kAvx512);
    }
  }
#endif
  return sets;
}

}  // namespace

const char* Name(InstructionSet set) {
  switch (set) {
    case InstructionSet::kPortable:
      return "portable";
    case InstructionSet::kAvx2:
      return "avx2";
    case InstructionSet::kAvx512:
      return "avx512";
  }
  return "unknown";
}

const std::vector<InstructionSet>& SupportedInstructionSets() {
  static const auto& sets = *new std::vector<InstructionSet>(Detect());
  return sets;
}

InstructionSet BestInstructionSet() { return SupportedInstructionSets().back(); }

}  // namespace spion::cpu_simd
