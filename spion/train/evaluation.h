// How good a model is on a split.
#ifndef SPION_TRAIN_EVALUATION_H_
#define SPION_TRAIN_EVALUATION_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "spion/collective/group.h"
#include "spion/nn/classifier.h"
#include "spion/platform/precision.h"
#include "spion/train/batches.h"

namespace spion {

struct Evaluation {
  double accuracy = 0;  // share of right answers
  double loss = 0;      // mean cross-entropy, nats
  int64_t examples = 0;
  /// Of each SPION layer that counts pruned entries as zeros, in the sparse phase: the share of the
  /// softmax that they take, from 0 to 1, the mean over the first batch. Empty of other models, and
  /// on ranks other than 0.
  std::vector<double> pruned_share = {};
};

/// How many of a split's examples count under such a limit (0: all).
int64_t EvaluatedExamples(int64_t examples, int64_t limit);

/// Over the split's first `limit` examples (0: all), without dropout, in the phase the model is in.
/// Attentions that draw random numbers in every pass draw the same for a batch in each evaluation,
/// on whichever rank; afterwards LibTorch's generators stand where they stood.
Evaluation Evaluate(const SequenceClassifier& model, const BatchMaker& batches, int64_t batch_size,
                    int64_t limit, Precision precision);

/// The same, shared out among the ranks batch by batch, but nothing if `stops_after` says so: asked
/// before each round of batches, with how many examples are done; it must say the same to all
/// ranks. Throws what the group throws.
std::optional<Evaluation> EvaluateUnlessStopped(const SequenceClassifier& model,
                                                const BatchMaker& batches, int64_t batch_size,
                                                int64_t limit, Precision precision,
                                                const std::function<bool(int64_t)>& stops_after,
                                                Group& group = AloneGroup());

}  // namespace spion

#endif  // SPION_TRAIN_EVALUATION_H_
