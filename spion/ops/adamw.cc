#include "spion/ops/adamw.h"

#include <ATen/ops/_foreach_clamp_max.h>
#include <ATen/ops/_foreach_clamp_min.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_fused_adamw.h>

#include <vector>

#include "spion/ops/gpu_side.h"

namespace spion {
namespace {

void CheckTensors(at::TensorList gradients, const AdamWTensors& tensors) {
  const size_t count = tensors.parameters.size();
  TORCH_CHECK(gradients.size() == count && tensors.first_moments.size() == count &&
                  tensors.second_moments.size() == count,
              "AdamW takes a gradient and two moments a parameter; got ", gradients.size(), ", ",
              tensors.first_moments.size(), " and ", tensors.second_moments.size(), " for ", count);
  const at::Device device = tensors.steps_taken.device();
  for (size_t i = 0; i < count; ++i) {
    const at::Tensor& parameter = tensors.parameters[i];
    const auto check = [&](const at::Tensor& tensor, const char* name, bool contiguous) {
      TORCH_CHECK(tensor.defined(), "AdamW: parameter ", i, " has no ", name);
      TORCH_CHECK(tensor.scalar_type() == at::kFloat && tensor.device() == device &&
                      tensor.sizes() == parameter.sizes() &&
                      (!contiguous || tensor.is_contiguous()),
                  "AdamW: the ", name, " of parameter ", i, " must be ",
                  contiguous ? "contiguous, " : "", "float32 ", parameter.sizes(), " on ", device,
                  "; got ", tensor.scalar_type(), " ", tensor.sizes(), " on ", tensor.device());
    };
    check(parameter, "value", true);
    check(gradients[i], "gradient", false);
    check(tensors.first_moments[i], "first moment", true);
    check(tensors.second_moments[i], "second moment", true);
  }
}

void StepByLibTorch(const AdamWSettings& settings, at::TensorList gradients,
                    const AdamWTensors& tensors) {
  if (settings.gradient_scale != 1) at::_foreach_mul_(gradients, settings.gradient_scale);
  at::_foreach_clamp_min_(gradients, -settings.gradient_limit);
  at::_foreach_clamp_max_(gradients, settings.gradient_limit);
  const std::vector<at::Tensor> steps_taken(gradients.size(), tensors.steps_taken);
  at::_fused_adamw_(tensors.parameters, gradients, tensors.first_moments, tensors.second_moments,
                    /*max_exp_avg_sqs=*/{}, steps_taken, tensors.learning_rate, settings.beta1,
                    settings.beta2, settings.weight_decay, settings.epsilon, /*amsgrad=*/false,
                    /*maximize=*/false);
}

}  // namespace

void StepAdamW(const AdamWSettings& settings, at::TensorList gradients,
               const AdamWTensors& tensors) {
  CheckTensors(gradients, tensors);
  tensors.steps_taken.add_(1);
  if (tensors.steps_taken.is_cuda()) {
    GpuSide<AdamWKernel>::Get().Step(settings, gradients, tensors);
  } else {
    StepByLibTorch(settings, gradients, tensors);
  }
}

}  // namespace spion
