#include "spion/train/experiment.h"

#include <ATen/Context.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "spion/base/random.h"
#include "spion/nn/every_block_attention.h"
#include "spion/train/batches.h"
#include "spion/train/random_streams.h"

namespace spion {

bool Experiment::IsGiven(absl::string_view name) const {
  return std::any_of(given.begin(), given.end(),
                     [&](const auto& setting) { return setting.first == name; });
}

ModelConfig ModelConfigFor(const TaskShape& shape, const HyperParameters& hyper_parameters) {
  return {.vocabulary = shape.vocabulary,
          .classes = shape.classes,
          .length = shape.sequence_length,
          .sequences = shape.sequences_per_example,
          .layers = hyper_parameters.layers,
          .dropout = hyper_parameters.dropout};
}

std::string_view WhyNotEveryBlock(const Experiment& experiment, const TaskShape& shape,
                                  c10::Device device) {
  const ModelConfig model = ModelConfigFor(shape, experiment.hyper_parameters);
  const at::ScalarType type =
      experiment.precision == Precision::kBfloat16 ? at::kBFloat16 : at::kFloat;
  return WhyNotEveryBlock(device, model.length, model.width / model.heads, shape.has_padding, type);
}

SequenceClassifier MakeModel(const Experiment& experiment, const TaskShape& shape,
                             c10::Device device) {
  at::manual_seed(DeriveSeed(experiment.seed, kTorchStream));
  return SequenceClassifier(ModelConfigFor(shape, experiment.hyper_parameters), device,
                            experiment.method.make_attention);
}

absl::Status TryModel(const Experiment& experiment, const TaskData& data, c10::Device device) {
  const c10::NoGradGuard no_grad;
  try {
    const SequenceClassifier model = MakeModel(experiment, data.shape, device);
    const std::vector<int64_t> first = {0};
    const Batch batch = BatchMaker(data.train, device).Make(first);
    const AutocastScope autocast(experiment.precision, device);
    model.Forward(batch.ids, batch.lengths, /*training=*/false);
  } catch (const c10::OutOfMemoryError&) {
    throw;
  } catch (const c10::Error& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("the model cannot take this task: ", error.what_without_backtrace()));
  }
  return absl::OkStatus();
}

}  // namespace spion
