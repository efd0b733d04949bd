#include "spion/nn/parameters.h"

#include <algorithm>

namespace spion {

at::Tensor Parameters::Scope::Add(const std::string& name, const at::Tensor& initial) const {
  const std::string full_name = prefix_ + name;
  TORCH_CHECK(std::none_of(owner_->items_.begin(), owner_->items_.end(),
                           [&](const NamedTensor& item) { return item.name == full_name; }),
              "two parameters are called ", full_name);
  at::Tensor value = initial.detach().to(owner_->device_).requires_grad_();
  owner_->items_.push_back({full_name, value});
  return value;
}

int64_t Parameters::element_count() const {
  int64_t count = 0;
  for (const NamedTensor& item : items_) count += item.value.numel();
  return count;
}

}  // namespace spion
