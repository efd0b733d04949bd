// Mixed precision: what LibTorch's autocast makes of a forward pass.
//
//   ASSIGN_OR_RETURN(Precision precision, ChoosePrecision("auto", device));
//   {
//     AutocastScope scope(precision, device);
//     loss = at::cross_entropy_loss(model.Forward(...), labels);
//   }
//   loss.backward();   // outside: each gradient has its forward operator's dtype
//
// With kBfloat16 the matrix products and the attention run in bf16 (float32 accumulation), the
// normalisations, the loss and the sums in float32. Weights, gradients and the optimiser's state
// are float32 either way, and bf16 has float32's range, so the loss needs no scaling. With kTf32
// tensors are float32, and the tensor cores multiply with 10 bits after the point; with kFloat32
// products are exact, which takes a GPU longer.
#ifndef SPION_PLATFORM_PRECISION_H_
#define SPION_PLATFORM_PRECISION_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace spion {

enum class Precision { kFloat32, kTf32, kBfloat16 };

absl::string_view PrecisionName(Precision precision);

/// "auto": bfloat16 on a GPU, float32 on the CPU. "float32", "tf32", "bfloat16".
/// Errors: FailedPrecondition for "tf32" and "bfloat16" on the CPU, whose kernels take float32;
/// InvalidArgument for another text.
absl::StatusOr<Precision> ChoosePrecision(absl::string_view text, c10::Device device);

/// How float32 matrices are multiplied from now on in this process, in backward passes too: as tf32
/// with kTf32, exactly otherwise. Call it before the first step.
void SetFloat32Math(Precision precision);

/// Autocast of this thread while it lives, with kBfloat16; otherwise nothing at all.
class AutocastScope {
 public:
  AutocastScope(Precision precision, c10::Device device);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  bool is_active_;
  c10::DeviceType device_type_;
  bool was_enabled_ = false;
  at::ScalarType dtype_before_ = at::kFloat;
};

}  // namespace spion

#endif  // SPION_PLATFORM_PRECISION_H_
