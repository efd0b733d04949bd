// All that a training is after some step, as tensors and values under names, so that another
// process goes on with it to the same last bit; and that in a file.
//
//   TrainingState state;
//   optimizer.SaveTo(state);                               // each part under names of its own
//   RETURN_IF_ERROR(SaveState("state.safetensors", state));
//   ASSIGN_OR_RETURN(state, LoadState("state.safetensors"));
//   RETURN_IF_ERROR(optimizer.RestoreFrom(state));
#ifndef SPION_TRAIN_TRAINING_STATE_H_
#define SPION_TRAIN_TRAINING_STATE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "spion/base/folder.h"

namespace spion {

class Group;

class TrainingState {
 public:
  /// Keeps a copy of `tensor` (float32, int64 or uint8, on any device) on the CPU.
  void Put(const std::string& name, const at::Tensor& tensor);
  /// A number, a text, or a list of such; doubles come back bit for bit.
  void PutValue(const std::string& name, nlohmann::json value) { values_[name] = std::move(value); }

  bool Has(const std::string& name) const { return tensors_.count(name) > 0; }
  bool HasValue(const std::string& name) const { return values_.contains(name); }
  /// Errors: DataLoss if there is none of that name and type.
  absl::StatusOr<at::Tensor> Get(const std::string& name, at::ScalarType dtype) const;
  /// Copies it into `target`, on any device. Errors: DataLoss if there is none, or one of another
  /// type or shape.
  absl::Status CopyTo(const std::string& name, const at::Tensor& target) const;

  /// Errors: DataLoss if there is none, or one that is no T.
  template <typename T>
  absl::StatusOr<T> Value(const std::string& name) const {
    try {
      return values_.at(name).get<T>();
    } catch (const nlohmann::json::exception& error) {
      return absl::DataLossError(absl::StrCat("the state's ", name, ": ", error.what()));
    }
  }

 private:
  friend absl::Status SaveState(const FilePlace& place, const TrainingState& state);
  friend absl::StatusOr<TrainingState> LoadState(const FilePlace& place);
  friend TrainingState ShareState(const TrainingState& state, Group& group);

  std::map<std::string, at::Tensor> tensors_;
  nlohmann::json values_ = nlohmann::json::object();
};

/// Written whole or not at all. Errors: those of SaveTensors.
absl::Status SaveState(const FilePlace& place, const TrainingState& state);

/// Errors: those of LoadTensors; DataLoss, naming the file, if it is the state of no training.
absl::StatusOr<TrainingState> LoadState(const FilePlace& place);

}  // namespace spion

#endif  // SPION_TRAIN_TRAINING_STATE_H_
