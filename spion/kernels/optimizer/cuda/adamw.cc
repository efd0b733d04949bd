// What adamw.h declares: checks, then the launches.
#include "spion/kernels/optimizer/adamw.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "spion/base/status.h"
#include "spion/kernels/cuda_launch/checks.h"
#include "spion/kernels/optimizer/cuda/adamw_launch.h"

namespace spion::cuda {
namespace {

absl::Status Check(const AdamWStep& step, absl::Span<const AdamWTensor> tensors) {
  for (const double beta : {step.beta1, step.beta2}) {
    if (!(beta >= 0 && beta < 1)) {
      return absl::InvalidArgumentError(
          absl::StrCat("AdamW's betas must be at least 0 and below 1; got ", beta));
    }
  }
  constexpr int64_t kMaxCount = int64_t{1} << 31;
  for (const AdamWTensor& tensor : tensors) {
    if (tensor.count < 1 || tensor.count > kMaxCount) {
      return absl::InvalidArgumentError(absl::StrCat("AdamW takes tensors of 1 to ", kMaxCount,
                                                     " numbers; got one of ", tensor.count));
    }
  }
  return absl::OkStatus();
}

}  // namespace

AdamWLaunch LaunchOf(const AdamWStep& step, absl::Span<const AdamWTensor> tensors) {
  AdamWLaunch launch = {};
  launch.learning_rate = step.learning_rate;
  launch.steps_taken = step.steps_taken;
  launch.log_beta1 = static_cast<float>(std::log(step.beta1));
  launch.log_beta2 = static_cast<float>(std::log(step.beta2));
  launch.beta1 = static_cast<float>(step.beta1);
  launch.beta2 = static_cast<float>(step.beta2);
  launch.rest1 = static_cast<float>(1 - step.beta1);
  launch.rest2 = static_cast<float>(1 - step.beta2);
  launch.epsilon = step.epsilon;
  launch.weight_decay = step.weight_decay;
  launch.gradient_limit = step.gradient_limit;
  launch.gradient_scale = step.gradient_scale;
  launch.count = static_cast<int32_t>(tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    launch.tensors[i] = tensors[i];
    const int64_t blocks = (tensors[i].count + kAdamWPerBlock - 1) / kAdamWPerBlock;
    launch.first_block[i + 1] = launch.first_block[i] + static_cast<int32_t>(blocks);
  }
  return launch;
}

absl::Status Run(const AdamWStep& step, absl::Span<const AdamWTensor> tensors,
                 CUstream_st* stream) {
  RETURN_IF_ERROR(Check(step, tensors));
  for (size_t first = 0; first < tensors.size(); first += kAdamWTensors) {
    const AdamWLaunch launch = LaunchOf(step, tensors.subspan(first, kAdamWTensors));
    RETURN_IF_ERROR(StatusOfLaunch(Launch(launch, stream)));
  }
  return absl::OkStatus();
}

}  // namespace spion::cuda
