#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "spion/base/status.h"
#include "spion/kernels/attention_map/api.h"
#include "spion/kernels/common/attention_checks.h"

namespace spion {

template <typename T>
absl::Status Validate(const AttentionMapCall<T>& call) {
  RETURN_IF_ERROR(CheckHeads(call.batch, call.heads));
  RETURN_IF_ERROR(CheckHeadDim(call.head_dim));
  RETURN_IF_ERROR(CheckScale(call.scale));
  if (call.length < 1 || call.length % 16 != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "length ", call.length, " is not a positive multiple of 16: pad the sequence to ",
        "a multiple and mark the added keys as padding"));
  }
  if (call.padding.lengths != nullptr && call.padding.valid != nullptr) {
    return absl::InvalidArgumentError(
        "key padding is given both as lengths and as a mask: give one of the two");
  }
  if (call.map == nullptr) {
    return absl::InvalidArgumentError("no memory for the map: set `map` to length * length floats");
  }
  return absl::OkStatus();
}

template absl::Status Validate(const AttentionMapCall<Float16>&);
template absl::Status Validate(const AttentionMapCall<BFloat16>&);
template absl::Status Validate(const AttentionMapCall<float>&);

}  // namespace spion
