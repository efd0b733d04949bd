#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "spion/kernels/attention_map/api.h"
#include "spion/kernels/common/check_heads.h"
#include "spion/kernels/common/head_dim.h"

namespace spion {

template <typename T>
absl::Status Validate(const AttentionMapCall<T>& call) {
  if (absl::Status status = CheckHeads(call.batch, call.heads); !status.ok()) return status;
  const int64_t d = call.head_dim;
  if (!TakesHeadDim(d)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "head dimension ", d, " is not supported: use 16, 32, 64 or 128, or pad q and k ",
        "with zeros to the next of these and keep the scale"));
  }
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
