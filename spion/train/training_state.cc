#include "spion/train/training_state.h"

#include <c10/core/GradMode.h>

#include <utility>

#include "spion/base/json.h"
#include "spion/base/status.h"
#include "spion/train/safetensors.h"

namespace spion {
namespace {

// The one metadata entry; a JSON text, as safetensors knows strings only.
constexpr char kKey[] = "spion_state";

}  // namespace

void TrainingState::Put(const std::string& name, const at::Tensor& tensor) {
  const c10::NoGradGuard no_grad;
  tensors_[name] = tensor.detach().to(at::kCPU, /*non_blocking=*/false, /*copy=*/true).contiguous();
}

absl::StatusOr<at::Tensor> TrainingState::Get(const std::string& name, at::ScalarType dtype) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) return absl::DataLossError(absl::StrCat("the state has no ", name));
  if (found->second.scalar_type() != dtype) {
    return absl::DataLossError(absl::StrCat("the state's ", name, " is ",
                                            c10::toString(found->second.scalar_type()),
                                            ", expected ", c10::toString(dtype)));
  }
  return found->second;
}

absl::Status TrainingState::CopyTo(const std::string& name, const at::Tensor& target) const {
  const c10::NoGradGuard no_grad;
  ASSIGN_OR_RETURN(const at::Tensor tensor, Get(name, target.scalar_type()));
  if (tensor.sizes() != target.sizes()) {
    return absl::DataLossError(absl::StrCat("the state's ", name, " has ", tensor.numel(),
                                            " numbers, expected ", target.numel()));
  }
  at::Tensor to = target;
  to.copy_(tensor);
  return absl::OkStatus();
}

absl::Status SaveState(const FilePlace& place, const TrainingState& state) {
  return SaveTensors(place,
                     {.tensors = state.tensors_, .metadata = {{kKey, state.values_.dump()}}});
}

absl::StatusOr<TrainingState> LoadState(const FilePlace& place) {
  ASSIGN_OR_RETURN(TensorFile content, LoadTensors(place));
  const auto text = content.metadata.find(kKey);
  if (text == content.metadata.end()) {
    return absl::DataLossError(absl::StrCat(place.path(), " is a tensor file, but the state of no ",
                                            "training: its header has no \"", kKey, "\""));
  }
  absl::StatusOr<nlohmann::json> values = ParseJson(text->second);
  if (!values.ok() || !values->is_object()) {
    return absl::DataLossError(
        absl::StrCat(place.path(), ": its \"", kKey, "\" is ",
                     values.ok() ? "no JSON object" : std::string(values.status().message())));
  }
  TrainingState state;
  state.tensors_ = std::move(content.tensors);
  state.values_ = *std::move(values);
  return state;
}

}  // namespace spion
