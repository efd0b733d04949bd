// The test of a session's model, by all ranks of its run.
#ifndef EXPERIMENTS_TEST_MODEL_H_
#define EXPERIMENTS_TEST_MODEL_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "experiments/session.h"
#include "spion/collective/group.h"
#include "spion/nn/classifier.h"
#include "spion/run/progress.h"
#include "spion/train/checkpoint.h"
#include "spion/train/evaluation.h"

namespace spion {

/// On the test set, in the phase the model is in, and tells of it; nothing if it is to stop on any
/// rank. Errors: Internal if the loss is not finite. Throws what the group throws.
absl::StatusOr<std::optional<Evaluation>> Test(const Session& session,
                                               const SequenceClassifier& model,
                                               const std::function<bool()>& stop_requested,
                                               Group& group, Progress& progress);

/// What is said of the test of a checkpoint: "test accuracy 41.2 % (10000 examples; ...)".
std::string TestLine(const Evaluation& test, const CheckpointInfo& info);

}  // namespace spion

#endif  // EXPERIMENTS_TEST_MODEL_H_
