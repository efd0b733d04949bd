#include "spion/train/flat_gradient.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

namespace spion {

FlatGradient::FlatGradient(const Parameters& parameters)
    : all_(at::zeros({parameters.element_count() + 2},
                     at::TensorOptions(at::kFloat).device(parameters.device()))) {
  int64_t begin = 0;
  for (const NamedTensor& parameter : parameters.items()) {
    const int64_t size = parameter.value.numel();
    gradients_.push_back(all_.narrow(0, begin, size).view(parameter.value.sizes()));
    begin += size;
  }
  loss_ = all_.select(0, begin);
  right_ = all_.select(0, begin + 1);
}

void FlatGradient::Fill(const std::vector<at::Tensor>& gradients, const at::Tensor& loss,
                        const at::Tensor& right) {
  const c10::NoGradGuard no_grad;
  std::vector<at::Tensor> flat;
  flat.reserve(gradients.size() + 2);
  for (const at::Tensor& gradient : gradients) flat.push_back(gradient.reshape({-1}));
  flat.push_back(loss.reshape({1}));
  flat.push_back(right.reshape({1}));
  at::cat_out(all_, flat);
}

}  // namespace spion
