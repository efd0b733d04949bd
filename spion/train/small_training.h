// A task that is learnt in a second, for tests of training and of what runs write: the label is
// what all ids of a sequence are.
#ifndef SPION_TRAIN_SMALL_TRAINING_H_
#define SPION_TRAIN_SMALL_TRAINING_H_

#include "spion/data/task.h"
#include "spion/train/experiment.h"

namespace spion {

inline constexpr TaskShape kSmallShape{.sequence_length = 16, .vocabulary = 8, .classes = 2};

/// 32 examples a split.
TaskData SmallData();

/// One layer of LibTorch's dense attention, 30 steps, evaluated after the last. Named image, dense.
Experiment SmallDenseExperiment(Precision precision);

/// The same with SPION-CF, in float32; a capture each 10 steps.
Experiment SmallSpionExperiment();

}  // namespace spion

#endif  // SPION_TRAIN_SMALL_TRAINING_H_
