#include "spion/kernels/common/attention_checks.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "spion/kernels/common/head_dim.h"
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

absl::Status CheckHeadDim(int64_t d) {
  if (TakesHeadDim(d)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("head dimension ", d, " is not supported: use ", kHeadDims,
                   ", or pad heads with zeros to the next of these and keep the scale"));
}

absl::Status CheckScale(float scale) {
  if (scale > 0 && std::isfinite(scale)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "scale ", scale, " is not a positive finite number: for a negative one negate q"));
}

}  // namespace spion
