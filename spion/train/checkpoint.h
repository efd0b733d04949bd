// A model at one step: its weights, and everything that says what they are weights of, the phase
// and the patterns included. So a checkpoint of the dense phase is evaluated densely and one of the
// sparse phase under the patterns it was trained with, never otherwise.
#ifndef SPION_TRAIN_CHECKPOINT_H_
#define SPION_TRAIN_CHECKPOINT_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "spion/base/folder.h"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/nn/classifier.h"
#include "spion/pattern/block_pattern.h"
#include "spion/train/phase.h"
#include "spion/train/training_state.h"

namespace spion {

struct CheckpointInfo {
  std::string task;
  std::string method;
  std::string preset;
  uint64_t seed = 0;
  int64_t step = 0;
  /// The best so far of the phase, from the evaluation that chose this checkpoint or one before it.
  double dev_accuracy = 0;
  Phase phase = Phase::kDense;
  /// One a layer in the sparse phase, none in the dense; in a single phase those that the method
  /// fixes, if it does.
  std::vector<BlockPattern> patterns;
  /// Of the data that it was trained with: DataSource's (spion/data/task.h); empty in files of
  /// before version 0.2.0.
  std::string data_description = "";
  std::string data_sha256 = "";
  /// How pruned entries counted when it was trained.
  PrunedScore pruned_score = PrunedScore::kZero;
};

struct Checkpoint {
  CheckpointInfo info;
  std::map<std::string, at::Tensor> weights;  // float32, on the CPU
};

/// The first weight that has a NaN or an infinity; empty where all are finite. Waits for the
/// device.
std::string NotFiniteWeight(const SequenceClassifier& model);

/// The model as it is now, its weights copied to the CPU.
Checkpoint TakeCheckpoint(const CheckpointInfo& info, const SequenceClassifier& model);

/// Errors: those of SaveTensors; Internal, naming the weight, if one is not finite, so that no file
/// has such; InvalidArgument if the phase and the patterns contradict each other.
absl::Status SaveCheckpoint(const FilePlace& place, const Checkpoint& checkpoint);

/// Errors: those of LoadTensors; DataLoss, naming the file, when what SPION needs to know is not in
/// it or contradicts itself, or a weight is not finite.
absl::StatusOr<Checkpoint> LoadCheckpoint(const FilePlace& place);

/// A checkpoint as part of a training's state, under names that begin with `prefix`. Errors of
/// GetCheckpoint: DataLoss if there is no such one, or it contradicts itself.
void PutCheckpoint(const std::string& prefix, const Checkpoint& checkpoint, TrainingState& state);
absl::StatusOr<Checkpoint> GetCheckpoint(const std::string& prefix, const TrainingState& state);
bool HasCheckpoint(const std::string& prefix, const TrainingState& state);

/// Puts the weights, the patterns and the pruned entries' meaning into the model. Errors:
/// InvalidArgument naming the first weight that is missing, left over, or of another shape, or
/// saying which patterns do not fit the layers; the model may then be partly changed.
absl::Status Restore(const Checkpoint& checkpoint, SequenceClassifier& model);

}  // namespace spion

#endif  // SPION_TRAIN_CHECKPOINT_H_
