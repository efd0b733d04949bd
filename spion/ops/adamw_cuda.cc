// AdamWKernel by CUDA.
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <vector>

#include "spion/kernels/optimizer/adamw.h"
#include "spion/ops/adamw.h"
#include "spion/ops/gpu_side.h"
#include "spion/ops/throw_if_error.h"

namespace spion {
namespace {

class AdamWByCuda : public AdamWKernel {
 public:
  void Step(const AdamWSettings& settings, at::TensorList gradients,
            const AdamWTensors& tensors) const override {
    const c10::cuda::CUDAGuard guard(tensors.steps_taken.device());
    const cuda::AdamWStep step = {.learning_rate = tensors.learning_rate.const_data_ptr<float>(),
                                  .steps_taken = tensors.steps_taken.const_data_ptr<float>(),
                                  .beta1 = settings.beta1,
                                  .beta2 = settings.beta2,
                                  .epsilon = static_cast<float>(settings.epsilon),
                                  .weight_decay = static_cast<float>(settings.weight_decay),
                                  .gradient_limit = static_cast<float>(settings.gradient_limit),
                                  .gradient_scale = static_cast<float>(settings.gradient_scale)};
    std::vector<at::Tensor> kept;  // copies that the launches read
    std::vector<cuda::AdamWTensor> operands;
    for (size_t i = 0; i < gradients.size(); ++i) {
      if (gradients[i].numel() == 0) continue;
      kept.push_back(gradients[i].contiguous());
      operands.push_back({.count = gradients[i].numel(),
                          .parameter = tensors.parameters[i].mutable_data_ptr<float>(),
                          .gradient = kept.back().const_data_ptr<float>(),
                          .first_moment = tensors.first_moments[i].mutable_data_ptr<float>(),
                          .second_moment = tensors.second_moments[i].mutable_data_ptr<float>()});
    }
    ThrowIfError("AdamW", Run(step, operands, c10::cuda::getCurrentCUDAStream().stream()));
  }
};

const AdamWByCuda kAdamW;
const GpuSide<AdamWKernel> kGpuSide(kAdamW);

}  // namespace
}  // namespace spion
