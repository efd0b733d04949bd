#include "spion/ops/stable/allocate.h"

#include <torch/csrc/stable/ops.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace spion {
namespace {

using torch::stable::Tensor;

/// As LibTorch has them: a dimension of nothing counts as one.
std::vector<int64_t> StridesOf(Sizes sizes, Sizes order) {
  std::vector<int64_t> strides(sizes.size());
  int64_t stride = 1;
  for (size_t i = sizes.size(); i-- > 0;) {
    const auto dimension = order.empty() ? i : static_cast<size_t>(order[i]);
    strides[dimension] = stride;
    stride *= std::max<int64_t>(sizes[dimension], 1);
  }
  return strides;
}

Tensor AllocateOfType(const Tensor& like, int32_t dtype, Sizes sizes, Sizes order) {
  const std::vector<int64_t> strides = StridesOf(sizes, order);
  int32_t device_type = 0;
  TORCH_ERROR_CODE_CHECK(aoti_torch_get_device_type(like.get(), &device_type));
  AtenTensorHandle made = nullptr;
  if (aoti_torch_empty_strided(static_cast<int64_t>(sizes.size()), sizes.data(), strides.data(),
                               dtype, device_type, like.get_device_index(),
                               &made) == TORCH_SUCCESS) {
    return Tensor(made);
  }
  const std::string device =
      like.is_cuda() ? absl::StrCat("cuda:", like.get_device_index()) : "the CPU";
  throw OutOfMemory(absl::StrCat(
      "out of memory: ", device, " has none for a tensor of [", absl::StrJoin(sizes, ", "),
      "] (torch's own message is on stderr); take a smaller batch, or free tensors"));
}

}  // namespace

Tensor Allocate(const Tensor& like, Sizes sizes, Sizes order) {
  int32_t dtype = 0;
  TORCH_ERROR_CODE_CHECK(aoti_torch_get_dtype(like.get(), &dtype));
  return AllocateOfType(like, dtype, sizes, order);
}

Tensor AllocateFloats(const Tensor& like, Sizes sizes) {
  return AllocateOfType(like, aoti_torch_dtype_float32(), sizes, /*order=*/{});
}

Tensor Copy(const Tensor& tensor) {
  Tensor copy = Allocate(tensor, tensor.sizes());
  torch::stable::copy_(copy, tensor);
  return copy;
}

}  // namespace spion
