// What api.h declares: checks, then the launches.
#include "absl/strings/str_cat.h"
#include "spion/base/status.h"
#include "spion/kernels/classifier/api.h"
#include "spion/kernels/classifier/cuda/classifier_launch.h"
#include "spion/kernels/cuda_launch/checks.h"

namespace spion::cuda {
namespace {

absl::Status CheckSize(const char* name, int64_t size, int64_t largest, int64_t unit = 1) {
  if (size >= 1 && size <= largest && size % unit == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a classifier of ", size, " ", name, "; a GPU takes 1 to ", largest,
                   unit == 1 ? "" : absl::StrCat(", multiples of ", unit)));
}

absl::Status Check(const ClassifierSizes& sizes) {
  RETURN_IF_ERROR(CheckSize("examples", sizes.examples, kMaxExamples));
  RETURN_IF_ERROR(CheckSize("features", sizes.features, kMaxFeatures, kClassifierUnit));
  RETURN_IF_ERROR(CheckSize("hidden numbers", sizes.hidden, kMaxHidden, kClassifierUnit));
  return CheckSize("classes", sizes.classes, kMaxClasses);
}

}  // namespace

absl::Status Run(const ClassifierForward& call, CUstream_st* stream) {
  RETURN_IF_ERROR(Check(call.sizes));
  return StatusOfLaunch(Launch(call, stream));
}

absl::Status Run(const ClassifierBackward& call, CUstream_st* stream) {
  RETURN_IF_ERROR(Check(call.sizes));
  return StatusOfLaunch(Launch(call, stream));
}

absl::Status Run(const CrossEntropy& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckSize("examples", call.examples, kMaxExamples));
  RETURN_IF_ERROR(CheckSize("classes", call.classes, kMaxClasses));
  return StatusOfLaunch(Launch(call, stream));
}

}  // namespace spion::cuda
