#include "spion/train/small_training.h"

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "spion/nn/fused_dense_attention.h"
#include "spion/nn/spion_attention.h"

namespace spion {

TaskData SmallData() {
  TaskData data(kSmallShape);
  for (Split* split : {&data.train, &data.dev, &data.test}) {
    for (int example = 0; example < 32; ++example) {
      const std::vector<uint8_t> ids(kSmallShape.sequence_length, example % 2);
      const absl::Span<const uint8_t> sequence = ids;
      split->AddExample({sequence}, example % 2);
    }
  }
  return data;
}

Experiment SmallDenseExperiment(Precision precision) {
  HyperParameters h;
  h.layers = 1;
  h.batch_size = 8;
  h.learning_rate = 1e-3;
  h.warmup_steps = 5;
  h.steps = 30;
  h.capture_interval = 10;
  h.block_size = 16;
  h.evaluation_interval = 30;
  return {.task = "image",
          .method = {.name = "dense",
                     .description = "",
                     .pattern_kind = {},
                     .make_attention =
                         [](const AttentionContext&) {
                           return std::make_unique<FusedDenseAttention>();
                         }},
          .preset = Preset::kQuick,
          .hyper_parameters = h,
          .seed = 3,
          .precision = precision};
}

Experiment SmallSpionExperiment() {
  Experiment experiment = SmallDenseExperiment(Precision::kFloat32);
  experiment.method.name = "cf";
  experiment.method.pattern_kind = PatternKind::kCF;
  experiment.method.make_attention = [](const AttentionContext& context) {
    return std::make_unique<SpionAttention>(context.layer, context.length, context.device,
                                            PrunedScore::kZero);
  };
  experiment.hyper_parameters.threshold = 0.9;
  return experiment;
}

}  // namespace spion
