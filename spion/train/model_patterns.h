// The patterns of a model's layers, all at once.
#ifndef SPION_TRAIN_MODEL_PATTERNS_H_
#define SPION_TRAIN_MODEL_PATTERNS_H_

#include <vector>

#include "absl/status/status.h"
#include "spion/nn/classifier.h"
#include "spion/nn/spion_attention.h"
#include "spion/pattern/block_pattern.h"

namespace spion {

/// The SPION layers of a model; none in a model of another method.
std::vector<SpionAttention*> SpionLayers(const SequenceClassifier& model);

/// The patterns that the model's layers have now, of methods that fix them too.
std::vector<BlockPattern> CurrentPatterns(const SequenceClassifier& model);

/// Gives each SPION layer its pattern. Errors: InvalidArgument saying which pattern does not fit
/// its layer; the model may then be partly changed.
absl::Status SetPatterns(const std::vector<BlockPattern>& patterns, SequenceClassifier& model);

}  // namespace spion

#endif  // SPION_TRAIN_MODEL_PATTERNS_H_
