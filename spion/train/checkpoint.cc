#include "spion/train/checkpoint.h"

#include <c10/core/GradMode.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "spion/base/status.h"
#include "spion/train/pattern_json.h"

namespace spion {
namespace {

using Json = nlohmann::json;

// The one metadata entry; a JSON text, as safetensors knows strings only.
constexpr char kKey[] = "spion";

Json ToJson(const CheckpointInfo& info) {
  Json patterns = Json::array();
  for (const BlockPattern& pattern : info.patterns) patterns.push_back(PatternToJson(pattern));
  return {{"task", info.task},
          {"method", info.method},
          {"preset", info.preset},
          {"seed", info.seed},
          {"step", info.step},
          {"dev_accuracy", info.dev_accuracy},
          {"phase", std::string(PhaseName(info.phase))},
          {"patterns", patterns},
          {"excluded_pruned", info.pruned_score == PrunedScore::kExcluded}};
}

absl::StatusOr<CheckpointInfo> FromJson(const Json& json) {
  CheckpointInfo info{.task = json.at("task"),
                      .method = json.at("method"),
                      .preset = json.at("preset"),
                      .seed = json.at("seed"),
                      .step = json.at("step"),
                      .dev_accuracy = json.at("dev_accuracy"),
                      .phase = json.at("phase") == std::string(PhaseName(Phase::kSparse))
                                   ? Phase::kSparse
                                   : Phase::kDense,
                      .patterns = {},
                      .pruned_score = json.value("excluded_pruned", false) ? PrunedScore::kExcluded
                                                                           : PrunedScore::kZero};
  for (const Json& pattern : json.at("patterns")) {
    ASSIGN_OR_RETURN(BlockPattern parsed, PatternFromJson(pattern));
    info.patterns.push_back(std::move(parsed));
  }
  return info;
}

}  // namespace

std::vector<SpionAttention*> SpionLayers(const SequenceClassifier& model) {
  std::vector<SpionAttention*> layers;
  for (Attention* attention : model.attentions()) {
    if (auto* spion = dynamic_cast<SpionAttention*>(attention)) layers.push_back(spion);
  }
  return layers;
}

std::vector<BlockPattern> CurrentPatterns(const SequenceClassifier& model) {
  std::vector<BlockPattern> patterns;
  for (const SpionAttention* layer : SpionLayers(model)) {
    if (layer->pattern().has_value()) patterns.push_back(*layer->pattern());
  }
  return patterns;
}

absl::Status SaveCheckpoint(const std::string& path, const CheckpointInfo& info,
                            const SequenceClassifier& model) {
  TensorFile content;
  for (const NamedTensor& parameter : model.parameters().items()) {
    content.tensors[parameter.name] = parameter.value;
  }
  content.metadata[kKey] = ToJson(info).dump();
  return SaveTensors(path, content);
}

absl::StatusOr<Checkpoint> LoadCheckpoint(const std::string& path) {
  ASSIGN_OR_RETURN(TensorFile content, LoadTensors(path));
  const Json json = Json::parse(content.metadata[kKey], nullptr, /*allow_exceptions=*/false);
  try {
    absl::StatusOr<CheckpointInfo> info = FromJson(json);
    if (!info.ok()) return absl::DataLossError(absl::StrCat(path, ": ", info.status().message()));
    return Checkpoint{.info = *std::move(info), .content = std::move(content)};
  } catch (const Json::exception& error) {
    return absl::DataLossError(
        absl::StrCat(path, " is a tensor file, but no SPION checkpoint: ", error.what()));
  }
}

absl::Status Restore(const Checkpoint& checkpoint, SequenceClassifier& model) {
  c10::NoGradGuard no_grad;
  const auto& tensors = checkpoint.content.tensors;
  for (const NamedTensor& parameter : model.parameters().items()) {
    const auto found = tensors.find(parameter.name);
    if (found == tensors.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the checkpoint has no weight ", parameter.name));
    }
    if (found->second.sizes() != parameter.value.sizes()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the checkpoint's ", parameter.name, " has ", found->second.numel(),
                       " values, the model's has ", parameter.value.numel()));
    }
    parameter.value.copy_(found->second);
  }
  if (tensors.size() != model.parameters().items().size()) {
    return absl::InvalidArgumentError(absl::StrCat("the checkpoint has ", tensors.size(),
                                                   " weights, the model has ",
                                                   model.parameters().items().size()));
  }
  if (checkpoint.info.patterns.empty()) return absl::OkStatus();
  const std::vector<SpionAttention*> layers = SpionLayers(model);
  if (layers.size() != checkpoint.info.patterns.size()) {
    return absl::InvalidArgumentError(absl::StrCat("the checkpoint has ",
                                                   checkpoint.info.patterns.size(),
                                                   " patterns for ", layers.size(), " layers"));
  }
  for (size_t l = 0; l < layers.size(); ++l) {
    layers[l]->SetPattern(checkpoint.info.patterns[l]);
    layers[l]->set_pruned_score(checkpoint.info.pruned_score);
  }
  return absl::OkStatus();
}

}  // namespace spion
