// A model at one step: its weights, and everything that says what they are weights of, the phase
// and the patterns included. So a checkpoint of the dense phase is evaluated densely and one of the
// sparse phase under the patterns it was trained with, never otherwise.
#ifndef SPION_TRAIN_CHECKPOINT_H_
#define SPION_TRAIN_CHECKPOINT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "spion/base/folder.h"
#include "spion/nn/classifier.h"
#include "spion/nn/spion_attention.h"
#include "spion/pattern/block_pattern.h"
#include "spion/train/phase_controller.h"
#include "spion/train/safetensors.h"

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
  std::vector<BlockPattern> patterns;  // one a layer in the sparse phase, else none
  /// How pruned entries counted when it was trained.
  PrunedScore pruned_score = PrunedScore::kZero;
};

struct Checkpoint {
  CheckpointInfo info;
  TensorFile content;
};

/// The SPION layers of a model; none in a model of another method.
std::vector<SpionAttention*> SpionLayers(const SequenceClassifier& model);

/// The patterns that the model's layers have now.
std::vector<BlockPattern> CurrentPatterns(const SequenceClassifier& model);

/// The first weight that has a NaN or an infinity; empty where all are finite. Waits for the
/// device.
std::string NotFiniteWeight(const SequenceClassifier& model);

/// Errors: those of SaveTensors; Internal, naming the weight, if one is not finite, so that no file
/// has such; InvalidArgument if the phase and the patterns contradict each other.
absl::Status SaveCheckpoint(const FilePlace& place, const CheckpointInfo& info,
                            const SequenceClassifier& model);

/// Errors: those of LoadTensors; DataLoss, naming the file, when what SPION needs to know is not in
/// it or contradicts itself, or a weight is not finite.
absl::StatusOr<Checkpoint> LoadCheckpoint(const FilePlace& place);

/// Puts the weights, the patterns and the pruned entries' meaning into the model. Errors:
/// InvalidArgument naming the first weight that is missing, left over, or of another shape, or
/// saying which patterns do not fit the layers; the model may then be partly changed.
absl::Status Restore(const Checkpoint& checkpoint, SequenceClassifier& model);

}  // namespace spion

#endif  // SPION_TRAIN_CHECKPOINT_H_
