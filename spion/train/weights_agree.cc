#include "spion/train/weights_agree.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/stack.h>
#include <c10/core/GradMode.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "spion/base/random.h"

namespace spion {
namespace {

// Sums of the weights' bits are exact in whole numbers, in whatever order they are added.
int64_t Checksum(const SequenceClassifier& model) {
  const c10::NoGradGuard no_grad;
  std::vector<at::Tensor> sums;
  for (const NamedTensor& parameter : model.parameters().items()) {
    sums.push_back(parameter.value.detach().view(at::kInt).sum(at::kLong));
  }
  const at::Tensor on_cpu = at::stack(sums).cpu();
  uint64_t checksum = 0;
  for (int64_t i = 0; i < on_cpu.numel(); ++i) {
    const auto sum = static_cast<uint64_t>(on_cpu.const_data_ptr<int64_t>()[i]);
    checksum = DeriveSeed(checksum ^ sum, static_cast<uint64_t>(i));
  }
  return static_cast<int64_t>(checksum);
}

}  // namespace

absl::Status CheckWeightsAgree(const SequenceClassifier& model, int64_t step, Group& group) {
  if (group.ranks() == 1) return absl::OkStatus();
  const std::vector<int64_t> checksums = group.Gather(Checksum(model));
  std::vector<int> others;
  for (int rank = 1; rank < group.ranks(); ++rank) {
    if (checksums[rank] != checksums[0]) others.push_back(rank);
  }
  if (others.empty()) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("at step ", step, " the weights of ", others.size() == 1 ? "rank " : "ranks ",
                   absl::StrJoin(others, ", "), " are not those of rank 0 any more: a device, a ",
                   "library or the memory of one of them is at fault"));
}

}  // namespace spion
