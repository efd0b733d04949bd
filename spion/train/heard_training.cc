#include "spion/train/heard_training.h"

#include "spion/train/small_training.h"

namespace spion {

absl::StatusOr<TrainingResult> TrainSmall(const Experiment& experiment, TrainingEvents& events,
                                          const TrainingOptions& options) {
  const TaskData data = SmallData();
  SequenceClassifier model = MakeModel(experiment, kSmallShape, at::kCPU);
  return Train(experiment, data, model, events, options);
}

}  // namespace spion
