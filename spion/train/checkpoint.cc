#include "spion/train/checkpoint.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "spion/base/json.h"
#include "spion/base/status.h"
#include "spion/base/utf8.h"
#include "spion/pattern/pattern_json.h"
#include "spion/train/model_patterns.h"
#include "spion/train/safetensors.h"

namespace spion {
namespace {

using Json = nlohmann::json;

// The one metadata entry; a JSON text, as safetensors knows strings only.
constexpr char kKey[] = "spion";

// From a checkpoint that is damaged.
constexpr char kWayOut[] = "; name one that is, or train again to make one";

Json ToJson(const CheckpointInfo& info) {
  return {{"task", info.task},
          {"method", info.method},
          {"preset", info.preset},
          {"seed", info.seed},
          {"step", info.step},
          {"dev_accuracy", info.dev_accuracy},
          {"phase", std::string(PhaseName(info.phase))},
          {"patterns", PatternsToJson(info.patterns)},
          {"data", {{"description", ToUtf8(info.data_description)}, {"sha256", info.data_sha256}}},
          {"excluded_pruned", info.pruned_score == PrunedScore::kExcluded}};
}

// A phase has patterns, one a layer, or it has none.
absl::Status CheckPatterns(const CheckpointInfo& info) {
  if (info.phase == Phase::kSparse && info.patterns.empty()) {
    return absl::InvalidArgumentError(
        "phase is \"sparse\" but there are no patterns, expected one a layer");
  }
  if (info.phase == Phase::kDense && !info.patterns.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("phase is \"dense\" but there are patterns, ",
                                                   info.patterns.size(), ", expected none"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Phase> PhaseOf(const Json& name) {
  const std::optional<Phase> phase =
      name.is_string() ? FindPhase(name.get<std::string>()) : std::nullopt;
  if (phase.has_value()) return *phase;
  return absl::InvalidArgumentError(
      absl::StrCat("phase is ", name.dump(), ", expected \"dense\", \"sparse\" or \"single\""));
}

// get<uint64_t>() would round and wrap.
absl::StatusOr<uint64_t> WholeNumber(const Json& json, const char* key) {
  const Json& number = json.at(key);
  if (number.is_number_unsigned()) return number.get<uint64_t>();
  return absl::InvalidArgumentError(
      absl::StrCat(key, " is ", number.dump(), ", expected a whole number from 0 on"));
}

absl::StatusOr<CheckpointInfo> FromJson(const Json& json) {
  CheckpointInfo info{.task = json.at("task"),
                      .method = json.at("method"),
                      .preset = json.at("preset"),
                      .dev_accuracy = json.at("dev_accuracy"),
                      .patterns = {},
                      .data_description = "",
                      .data_sha256 = "",
                      .pruned_score = json.value("excluded_pruned", false) ? PrunedScore::kExcluded
                                                                           : PrunedScore::kZero};
  ASSIGN_OR_RETURN(info.seed, WholeNumber(json, "seed"));
  ASSIGN_OR_RETURN(const uint64_t step, WholeNumber(json, "step"));
  info.step = static_cast<int64_t>(step);
  if (info.step < 0 || !(info.dev_accuracy >= 0 && info.dev_accuracy <= 1)) {
    return absl::InvalidArgumentError(absl::StrCat("step is ", step, " and dev_accuracy ",
                                                   info.dev_accuracy,
                                                   ", expected a share and a step below 2^63"));
  }
  ASSIGN_OR_RETURN(info.phase, PhaseOf(json.at("phase")));
  if (json.contains("data")) {
    info.data_description = json.at("data").at("description");
    info.data_sha256 = json.at("data").at("sha256");
  }
  ASSIGN_OR_RETURN(info.patterns, PatternsFromJson(json.at("patterns")));
  RETURN_IF_ERROR(CheckPatterns(info));
  return info;
}

// NotFound where a key is missing or its value has another type.
absl::StatusOr<CheckpointInfo> ReadInfo(const Json& json) {
  try {
    return FromJson(json);
  } catch (const Json::exception& error) {
    return absl::NotFoundError(error.what());
  }
}

bool IsFinite(const at::Tensor& tensor) { return tensor.isfinite().all().item<bool>(); }

}  // namespace

std::string NotFiniteWeight(const SequenceClassifier& model) {
  c10::NoGradGuard no_grad;
  const auto& weights = model.parameters().items();
  // All at once first: a device is waited for once, not once a weight.
  at::Tensor all = at::ones({}, at::TensorOptions(at::kBool).device(model.parameters().device()));
  for (const NamedTensor& weight : weights) all = all.logical_and(weight.value.isfinite().all());
  if (all.item<bool>()) return "";
  return std::find_if(weights.begin(), weights.end(),
                      [](const NamedTensor& weight) { return !IsFinite(weight.value); })
      ->name;
}

Checkpoint TakeCheckpoint(const CheckpointInfo& info, const SequenceClassifier& model) {
  Checkpoint checkpoint{.info = info, .weights = {}};
  for (const NamedTensor& parameter : model.parameters().items()) {
    checkpoint.weights[parameter.name] =
        parameter.value.detach().to(at::kCPU, /*non_blocking=*/false, /*copy=*/true);
  }
  return checkpoint;
}

absl::Status SaveCheckpoint(const FilePlace& place, const Checkpoint& checkpoint) {
  const CheckpointInfo& info = checkpoint.info;
  RETURN_IF_ERROR(CheckPatterns(info));
  for (const auto& [name, weight] : checkpoint.weights) {
    if (IsFinite(weight)) continue;
    return absl::InternalError(absl::StrCat(place.path(), " is not written: the weight ", name,
                                            " is no longer finite at step ", info.step));
  }
  return SaveTensors(place,
                     {.tensors = checkpoint.weights, .metadata = {{kKey, ToJson(info).dump()}}});
}

void PutCheckpoint(const std::string& prefix, const Checkpoint& checkpoint, TrainingState& state) {
  std::vector<std::string> names;
  for (const auto& [name, weight] : checkpoint.weights) {
    names.push_back(name);
    state.Put(absl::StrCat(prefix, ".", name), weight);
  }
  state.PutValue(absl::StrCat(prefix, ".info"), ToJson(checkpoint.info));
  state.PutValue(absl::StrCat(prefix, ".weights"), names);
}

absl::StatusOr<Checkpoint> GetCheckpoint(const std::string& prefix, const TrainingState& state) {
  ASSIGN_OR_RETURN(const Json json, state.Value<Json>(absl::StrCat(prefix, ".info")));
  ASSIGN_OR_RETURN(const std::vector<std::string> names,
                   state.Value<std::vector<std::string>>(absl::StrCat(prefix, ".weights")));
  absl::StatusOr<CheckpointInfo> info = ReadInfo(json);
  if (!info.ok()) {
    return absl::DataLossError(
        absl::StrCat("the state's ", prefix, " model: ", info.status().message()));
  }
  Checkpoint checkpoint{.info = *std::move(info), .weights = {}};
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(checkpoint.weights[name],
                     state.Get(absl::StrCat(prefix, ".", name), at::kFloat));
  }
  return checkpoint;
}

absl::StatusOr<Checkpoint> LoadCheckpoint(const FilePlace& place) {
  absl::StatusOr<TensorFile> loaded = LoadTensors(place);
  if (absl::IsDataLoss(loaded.status())) {
    return absl::DataLossError(absl::StrCat(loaded.status().message(), kWayOut));
  }
  RETURN_IF_ERROR(loaded.status());
  TensorFile content = *std::move(loaded);
  const auto is_none = [&](absl::string_view why) {
    return absl::DataLossError(
        absl::StrCat(place.path(), " is a tensor file, but no SPION checkpoint: ", why));
  };
  const auto text = content.metadata.find(kKey);
  if (text == content.metadata.end()) {
    return is_none(absl::StrCat("its header has no \"", kKey, "\""));
  }
  const absl::StatusOr<Json> json = ParseJson(text->second);
  if (!json.ok()) return is_none(json.status().message());
  absl::StatusOr<CheckpointInfo> info = ReadInfo(*json);
  if (absl::IsNotFound(info.status())) return is_none(info.status().message());
  const auto damaged = [&](absl::string_view what) {
    return absl::DataLossError(absl::StrCat(place.path(), ": ", what, kWayOut));
  };
  if (!info.ok()) return damaged(info.status().message());
  for (const auto& [name, tensor] : content.tensors) {
    if (tensor.scalar_type() != at::kFloat) {
      return damaged(absl::StrCat("the weight ", name, " is not float32"));
    }
    if (!IsFinite(tensor)) {
      return damaged(absl::StrCat("the weight ", name, " has a NaN or an infinity"));
    }
  }
  return Checkpoint{.info = *std::move(info), .weights = std::move(content.tensors)};
}

bool HasCheckpoint(const std::string& prefix, const TrainingState& state) {
  return state.HasValue(absl::StrCat(prefix, ".info"));
}

absl::Status Restore(const Checkpoint& checkpoint, SequenceClassifier& model) {
  c10::NoGradGuard no_grad;
  const auto& tensors = checkpoint.weights;
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
  if (checkpoint.info.phase == Phase::kSingle &&
      checkpoint.info.patterns != CurrentPatterns(model)) {
    return absl::InvalidArgumentError(
        "the checkpoint was trained within other patterns than this program's method fixes");
  }
  if (checkpoint.info.phase != Phase::kSparse) return absl::OkStatus();
  RETURN_IF_ERROR(SetPatterns(checkpoint.info.patterns, model));
  for (SpionAttention* layer : SpionLayers(model)) {
    layer->set_pruned_score(checkpoint.info.pruned_score);
  }
  return absl::OkStatus();
}

}  // namespace spion
