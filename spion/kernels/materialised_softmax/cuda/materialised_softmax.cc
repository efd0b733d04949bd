// What api.h declares: checks, then the launches.
#include "absl/strings/str_cat.h"
#include "spion/base/status.h"
#include "spion/kernels/cuda_launch/checks.h"
#include "spion/kernels/materialised_softmax/api.h"
#include "spion/kernels/materialised_softmax/cuda/launch.h"
#include "spion/kernels/materialised_softmax/cuda/slices.h"

namespace spion::cuda {
namespace {

template <typename Call>
absl::Status CheckSizes(const Call& call) {
  if (!TakesScoreWidth(call.width)) {
    return absl::InvalidArgumentError(absl::StrCat("softmax of rows of ", call.width,
                                                   " scores; a GPU takes multiples of ",
                                                   kScoresStep, " up to ", kMaxScores));
  }
  if (call.batch < 0 || call.rows < 0) {
    return absl::InvalidArgumentError(absl::StrCat("softmax of ", call.batch, " * ", call.rows,
                                                   " rows; neither can be negative"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Run(const SoftmaxForward& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckSizes(call));
  return StatusOfLaunch(InSlices(call, kMaxGridColumns,
                                 [stream](const auto& slice) { return Launch(slice, stream); }));
}

absl::Status Run(const SoftmaxBackward& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckSizes(call));
  return StatusOfLaunch(InSlices(call, kMaxGridColumns,
                                 [stream](const auto& slice) { return Launch(slice, stream); }));
}

}  // namespace spion::cuda
