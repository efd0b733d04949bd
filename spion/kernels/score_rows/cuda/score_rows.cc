// What api.h declares: checks, then the launches.
#include "absl/strings/str_cat.h"
#include "spion/base/status.h"
#include "spion/kernels/cuda_launch/checks.h"
#include "spion/kernels/score_rows/api.h"
#include "spion/kernels/score_rows/cuda/launch.h"

namespace spion::cuda {
namespace {

template <typename Call>
absl::Status CheckSizes(const Call& call) {
  constexpr int64_t kMostRows = (int64_t{1} << 31) - 1;
  if (!TakesScoreWidth(call.width)) {
    return absl::InvalidArgumentError(absl::StrCat("softmax of rows of ", call.width,
                                                   " scores; a GPU takes multiples of ",
                                                   kScoresStep, " up to ", kMostScores));
  }
  if (call.batch < 1 || call.rows < 1 || call.rows > kMostRows / call.batch) {
    return absl::InvalidArgumentError(absl::StrCat("softmax of ", call.batch, " * ", call.rows,
                                                   " rows; expected 1 to ", kMostRows));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Run(const SoftmaxForward& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckSizes(call));
  return StatusOfLaunch(Launch(call, stream));
}

absl::Status Run(const SoftmaxBackward& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckSizes(call));
  return StatusOfLaunch(Launch(call, stream));
}

}  // namespace spion::cuda
