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

absl::Status SaveCheckpoint(const std::string& path, const CheckpointInfo& info,
                            const SequenceClassifier& model);

/// Errors: those of LoadTensors; DataLoss when what SPION needs to know is not in the file.
absl::StatusOr<Checkpoint> LoadCheckpoint(const std::string& path);

/// Puts the weights, the patterns and the pruned entries' meaning into the model. Errors:
/// InvalidArgument naming the first weight that is missing, left over, or of another shape; the
/// model may then be partly changed.
absl::Status Restore(const Checkpoint& checkpoint, SequenceClassifier& model);

}  // namespace spion

#endif  // SPION_TRAIN_CHECKPOINT_H_
