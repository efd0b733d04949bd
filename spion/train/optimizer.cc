#include "spion/train/optimizer.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include "spion/base/status.h"
#include "spion/ops/adamw.h"

namespace spion {
namespace {

std::string FirstMoment(const std::string& parameter) { return "adamw.first." + parameter; }
std::string SecondMoment(const std::string& parameter) { return "adamw.second." + parameter; }
std::string StepsTaken(const std::string& parameter) { return "adamw.steps." + parameter; }

}  // namespace

Optimizer::Optimizer(const Parameters& parameters, const HyperParameters& hyper_parameters)
    : hyper_parameters_(hyper_parameters),
      steps_taken_(at::zeros({}, parameters.items().front().value.options())),
      learning_rate_(at::full({}, hyper_parameters.learning_rate,
                              parameters.items().front().value.options())) {
  c10::NoGradGuard no_grad;
  for (const NamedTensor& parameter : parameters.items()) {
    names_.push_back(parameter.name);
    parameters_.push_back(parameter.value);
    first_moments_.push_back(at::zeros_like(parameter.value));
    second_moments_.push_back(at::zeros_like(parameter.value));
  }
}

void Optimizer::SetLearningRate(double learning_rate) { learning_rate_.fill_(learning_rate); }

std::vector<at::Tensor> Optimizer::TakeGradients() {
  std::vector<at::Tensor> gradients;
  gradients.reserve(parameters_.size());
  for (at::Tensor& parameter : parameters_) {
    gradients.push_back(parameter.grad());
    parameter.mutable_grad().reset();
  }
  return gradients;
}

void Optimizer::Step(const std::vector<at::Tensor>& gradients, double scale) {
  c10::NoGradGuard no_grad;
  const HyperParameters& h = hyper_parameters_;
  StepAdamW({.beta1 = h.beta1,
             .beta2 = h.beta2,
             .epsilon = h.epsilon,
             .weight_decay = h.weight_decay,
             .gradient_limit = h.gradient_limit,
             .gradient_scale = scale},
            gradients,
            {.parameters = parameters_,
             .first_moments = first_moments_,
             .second_moments = second_moments_,
             .steps_taken = steps_taken_,
             .learning_rate = learning_rate_});
}

void Optimizer::SaveTo(TrainingState& state) const {
  for (size_t i = 0; i < names_.size(); ++i) {
    state.Put(FirstMoment(names_[i]), first_moments_[i]);
    state.Put(SecondMoment(names_[i]), second_moments_[i]);
    state.Put(StepsTaken(names_[i]), steps_taken_);
  }
}

absl::Status Optimizer::RestoreFrom(const TrainingState& state) {
  for (size_t i = 0; i < names_.size(); ++i) {
    RETURN_IF_ERROR(state.CopyTo(FirstMoment(names_[i]), first_moments_[i]));
    RETURN_IF_ERROR(state.CopyTo(SecondMoment(names_[i]), second_moments_[i]));
    RETURN_IF_ERROR(state.CopyTo(StepsTaken(names_[i]), steps_taken_));
  }
  return absl::OkStatus();
}

}  // namespace spion
