#include "spion/train/optimizer.h"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_clamp_max.h>
#include <ATen/ops/_foreach_clamp_min.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include "spion/base/status.h"

namespace spion {
namespace {

std::string FirstMoment(const std::string& parameter) { return "adamw.first." + parameter; }
std::string SecondMoment(const std::string& parameter) { return "adamw.second." + parameter; }
std::string StepsTaken(const std::string& parameter) { return "adamw.steps." + parameter; }

}  // namespace

Optimizer::Optimizer(const Parameters& parameters, const HyperParameters& hyper_parameters)
    : hyper_parameters_(hyper_parameters),
      learning_rate_(at::full({}, hyper_parameters.learning_rate,
                              parameters.items().front().value.options())) {
  c10::NoGradGuard no_grad;
  for (const NamedTensor& parameter : parameters.items()) {
    names_.push_back(parameter.name);
    parameters_.push_back(parameter.value);
    first_moments_.push_back(at::zeros_like(parameter.value));
    second_moments_.push_back(at::zeros_like(parameter.value));
    steps_taken_.push_back(at::zeros({}, parameter.value.options()));
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

void Optimizer::Step(const std::vector<at::Tensor>& gradients) {
  c10::NoGradGuard no_grad;
  at::_foreach_clamp_min_(gradients, -hyper_parameters_.gradient_limit);
  at::_foreach_clamp_max_(gradients, hyper_parameters_.gradient_limit);
  at::_foreach_add_(steps_taken_, 1);
  at::_fused_adamw_(parameters_, gradients, first_moments_, second_moments_,
                    /*max_exp_avg_sqs=*/{}, steps_taken_, learning_rate_, hyper_parameters_.beta1,
                    hyper_parameters_.beta2, hyper_parameters_.weight_decay,
                    hyper_parameters_.epsilon, /*amsgrad=*/false, /*maximize=*/false);
}

void Optimizer::SaveTo(TrainingState& state) const {
  for (size_t i = 0; i < names_.size(); ++i) {
    state.Put(FirstMoment(names_[i]), first_moments_[i]);
    state.Put(SecondMoment(names_[i]), second_moments_[i]);
    state.Put(StepsTaken(names_[i]), steps_taken_[i]);
  }
}

absl::Status Optimizer::RestoreFrom(const TrainingState& state) {
  for (size_t i = 0; i < names_.size(); ++i) {
    RETURN_IF_ERROR(state.CopyTo(FirstMoment(names_[i]), first_moments_[i]));
    RETURN_IF_ERROR(state.CopyTo(SecondMoment(names_[i]), second_moments_[i]));
    RETURN_IF_ERROR(state.CopyTo(StepsTaken(names_[i]), steps_taken_[i]));
  }
  return absl::OkStatus();
}

}  // namespace spion
