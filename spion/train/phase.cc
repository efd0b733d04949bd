#include "spion/train/phase.h"

namespace spion {

absl::string_view PhaseName(Phase phase) {
  switch (phase) {
    case Phase::kDense:
      return "dense";
    case Phase::kSparse:
      return "sparse";
    case Phase::kSingle:
      return "single";
  }
  return "";
}

std::optional<Phase> FindPhase(absl::string_view name) {
  for (const Phase phase : {Phase::kDense, Phase::kSparse, Phase::kSingle}) {
    if (name == PhaseName(phase)) return phase;
  }
  return std::nullopt;
}

}  // namespace spion
