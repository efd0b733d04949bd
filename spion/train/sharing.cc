#include "spion/train/sharing.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "spion/base/status.h"
#include "spion/pattern/pattern_json.h"
#include "spion/train/model_patterns.h"

namespace spion {
namespace {

absl::Status SharePatterns(SequenceClassifier& model, Group& group) {
  const std::string told = group.Broadcast(PatternsToJson(CurrentPatterns(model)).dump());
  ASSIGN_OR_RETURN(const std::vector<BlockPattern> patterns,
                   PatternsFromJson(nlohmann::json::parse(told)));
  return group.leads() || patterns.empty() ? absl::OkStatus() : SetPatterns(patterns, model);
}

}  // namespace

void ShareWeights(SequenceClassifier& model, Group& group) {
  for (const NamedTensor& parameter : model.parameters().items()) {
    group.Broadcast(parameter.value.detach());
  }
}

absl::Status ShareModel(SequenceClassifier& model, Group& group) {
  // Those that a method fixes each rank has anyway.
  if (!SpionLayers(model).empty()) RETURN_IF_ERROR(SharePatterns(model, group));
  ShareWeights(model, group);
  return absl::OkStatus();
}

TrainingState ShareState(const TrainingState& state, Group& group) {
  nlohmann::json tensors = nlohmann::json::array();
  for (const auto& [name, tensor] : state.tensors_) {
    tensors.push_back({name, static_cast<int>(tensor.scalar_type()), tensor.sizes().vec()});
  }
  const nlohmann::json told = nlohmann::json::parse(group.Broadcast(
      nlohmann::json{{"values", state.values_}, {"tensors", std::move(tensors)}}.dump()));
  TrainingState shared;
  shared.values_ = told.at("values");
  for (const nlohmann::json& entry : told.at("tensors")) {
    const std::string name = entry.at(0);
    at::Tensor& tensor = shared.tensors_[name];
    tensor =
        group.leads()
            ? state.tensors_.at(name)
            : at::empty(entry.at(2).get<std::vector<int64_t>>(),
                        at::TensorOptions(static_cast<at::ScalarType>(entry.at(1).get<int>())));
    if (tensor.numel() > 0) group.Broadcast(tensor);
  }
  return shared;
}

}  // namespace spion
