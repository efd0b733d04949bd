// What rank 0 of a training hands to the others beside its steps. All ranks call each of these.
#ifndef SPION_TRAIN_SHARING_H_
#define SPION_TRAIN_SHARING_H_

#include "absl/status/status.h"
#include "spion/collective/group.h"
#include "spion/nn/classifier.h"
#include "spion/train/training_state.h"

namespace spion {

// All throw what the group throws.

/// Rank 0's weights, bit for bit: hosts may draw them differently.
void ShareWeights(SequenceClassifier& model, Group& group);

/// SPION's phase and patterns too. Errors: those of SetPatterns.
absl::Status ShareModel(SequenceClassifier& model, Group& group);

/// Rank 0's state; what the others give does not matter. So they need not see its files.
TrainingState ShareState(const TrainingState& state, Group& group);

}  // namespace spion

#endif  // SPION_TRAIN_SHARING_H_
