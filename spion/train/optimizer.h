// AdamW (spion/ops/adamw.h) over a model's parameters.
#ifndef SPION_TRAIN_OPTIMIZER_H_
#define SPION_TRAIN_OPTIMIZER_H_

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "spion/nn/parameters.h"
#include "spion/train/hyper_parameters.h"
#include "spion/train/training_state.h"

namespace spion {

class Optimizer {
 public:
  Optimizer(const Parameters& parameters, const HyperParameters& hyper_parameters);

  /// For the steps that follow; until then the hyper-parameters'.
  void SetLearningRate(double learning_rate);

  /// Clips the gradients to +-gradient_limit, moves the parameters, and clears the gradients.
  /// Every parameter must have a gradient. Reads nothing on the host: it may be recorded.
  void Step() { Step(TakeGradients()); }

  /// The same in two parts: the gradients, one a parameter, which the parameters then have no more;
  /// and the step by such times `scale`, which may be scaled and clipped in place.
  std::vector<at::Tensor> TakeGradients();
  void Step(const std::vector<at::Tensor>& gradients, double scale = 1);

  /// Moments and steps taken.
  void SaveTo(TrainingState& state) const;
  absl::Status RestoreFrom(const TrainingState& state);

 private:
  HyperParameters hyper_parameters_;
  std::vector<std::string> names_;
  std::vector<at::Tensor> parameters_;
  std::vector<at::Tensor> first_moments_;
  std::vector<at::Tensor> second_moments_;
  at::Tensor steps_taken_;    // a scalar, which a state has once for each parameter
  at::Tensor learning_rate_;  // a scalar on the parameters' device
};

}  // namespace spion

#endif  // SPION_TRAIN_OPTIMIZER_H_
