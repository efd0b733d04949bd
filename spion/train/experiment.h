// What is run: one cell of a table, and the model that it begins with.
#ifndef SPION_TRAIN_EXPERIMENT_H_
#define SPION_TRAIN_EXPERIMENT_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "spion/data/task.h"
#include "spion/nn/classifier.h"
#include "spion/nn/method.h"
#include "spion/nn/spion_attention.h"
#include "spion/pattern/patterns_file.h"
#include "spion/platform/precision.h"
#include "spion/train/hyper_parameters.h"

namespace spion {

struct Experiment {
  std::string task;
  Method method;
  Preset preset = Preset::kQuick;
  HyperParameters hyper_parameters;
  /// Those that flags set, and not the preset: name and text.
  std::vector<std::pair<std::string, std::string>> given = {};
  uint64_t seed = 1001;
  Precision precision = Precision::kFloat32;
  /// On a GPU, whether steps are recorded as a CUDA graph. The same numbers, faster.
  bool cuda_graph = true;
  /// Whether the run writes its whole attention maps at the transition.
  bool keep_maps = false;
  /// Patterns of the sparse phase in place of those made from the maps, one a layer. Where a run
  /// goes on and their file is gone: its path alone, as the run's state may have them.
  std::optional<PatternsFile> patterns = std::nullopt;

  bool IsGiven(absl::string_view name) const;

  bool has_lost_patterns() const { return patterns.has_value() && patterns->layers.empty(); }

  PrunedScore pruned_score() const {
    return hyper_parameters.excluded_pruned ? PrunedScore::kExcluded : PrunedScore::kZero;
  }
};

/// The data's shape as the model's sizes.
ModelConfig ModelConfigFor(const TaskShape& shape, const HyperParameters& hyper_parameters);

/// Why full attention is LibTorch's in it, as every_block_attention.h says; empty where it is
/// block-sparse attention with every block. Of a method that has_every_block.
std::string_view WhyNotEveryBlock(const Experiment& experiment, const TaskShape& shape,
                                  c10::Device device);

/// A model of the experiment with fresh weights drawn from its seed.
SequenceClassifier MakeModel(const Experiment& experiment, const TaskShape& shape,
                             c10::Device device);

/// Makes a model of the experiment, and throws it away, after a forward pass of one example: there
/// are lengths that a method cannot take, and they show before the first step of training so.
/// Errors: InvalidArgument with the method's own words.
absl::Status TryModel(const Experiment& experiment, const TaskData& data, c10::Device device);

}  // namespace spion

#endif  // SPION_TRAIN_EXPERIMENT_H_
