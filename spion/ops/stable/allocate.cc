#include "spion/ops/stable/allocate.h"

#include <torch/csrc/stable/ops.h>

#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace spion {

torch::stable::Tensor Allocate(const torch::stable::Tensor& like,
                               torch::headeronly::IntHeaderOnlyArrayRef sizes,
                               std::optional<torch::headeronly::ScalarType> dtype) {
  try {
    return torch::stable::new_empty(like, sizes, dtype);
  } catch (const std::runtime_error&) {
    const std::string device =
        like.is_cuda() ? absl::StrCat("cuda:", like.get_device_index()) : "the CPU";
    throw OutOfMemory(absl::StrCat(
        "out of memory: ", device, " has none for a tensor of [", absl::StrJoin(sizes, ", "),
        "] (torch's own message is on stderr); take a smaller batch, or free tensors"));
  }
}

}  // namespace spion
