// The phases of a training, by name.
#ifndef SPION_TRAIN_PHASE_H_
#define SPION_TRAIN_PHASE_H_

#include <optional>

#include "absl/strings/string_view.h"

namespace spion {

/// kSingle: of a method that has one phase, from the first step to the last.
enum class Phase { kDense, kSparse, kSingle };

/// "dense", "sparse", "single".
absl::string_view PhaseName(Phase phase);
/// The phase of that name; nothing if there is none.
std::optional<Phase> FindPhase(absl::string_view name);

}  // namespace spion

#endif  // SPION_TRAIN_PHASE_H_
