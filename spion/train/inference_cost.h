// What it takes to answer a batch: time and memory of forward passes without gradients.
#ifndef SPION_TRAIN_INFERENCE_COST_H_
#define SPION_TRAIN_INFERENCE_COST_H_

#include <cstdint>

#include "spion/nn/classifier.h"
#include "spion/platform/precision.h"
#include "spion/train/batches.h"

namespace spion {

struct InferenceCost {
  int64_t batch_size = 0;
  double batch_ms = 0;  // median of nine passes, each waited for, after two that warm up
};

/// Over the first `batch_size` examples (or as many as there are), made before the clock starts, in
/// the phase the model is in.
InferenceCost MeasureInference(const SequenceClassifier& model, const BatchMaker& batches,
                               int64_t batch_size, Precision precision);

}  // namespace spion

#endif  // SPION_TRAIN_INFERENCE_COST_H_
