#include "spion/kernels/common/check_heads.h"

#include "absl/strings/str_cat.h"
#include "spion/kernels/common/head_tensor.h"

namespace spion {

absl::Status CheckHeads(int64_t batch, int64_t heads) {
  if (batch < 0 || heads < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("batch = ", batch, " and heads = ", heads, ": neither can be negative"));
  }
  if (batch > 0 && heads > kMaxHeads / batch) {
    return absl::InvalidArgumentError(absl::StrCat("batch = ", batch, " and heads = ", heads,
                                                   ": at most ", kMaxHeads,
                                                   " heads in all are supported; split the batch"));
  }
  return absl::OkStatus();
}

}  // namespace spion
