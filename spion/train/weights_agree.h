// Whether the ranks of a training still have the same model.
#ifndef SPION_TRAIN_WEIGHTS_AGREE_H_
#define SPION_TRAIN_WEIGHTS_AGREE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "spion/collective/group.h"
#include "spion/nn/classifier.h"

namespace spion {

/// Compares a checksum over the bits of all weights. Waits for the device. Errors, on all ranks:
/// Internal, naming the ranks whose weights are not those of rank 0, and the step. Throws what the
/// group throws.
absl::Status CheckWeightsAgree(const SequenceClassifier& model, int64_t step, Group& group);

}  // namespace spion

#endif  // SPION_TRAIN_WEIGHTS_AGREE_H_
