#include "spion/platform/precision.h"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>

#include "absl/strings/str_cat.h"

namespace spion {

absl::string_view PrecisionName(Precision precision) {
  switch (precision) {
    case Precision::kFloat32:
      return "float32";
    case Precision::kTf32:
      return "tf32";
    case Precision::kBfloat16:
      return "bfloat16";
  }
  return "";
}

absl::StatusOr<Precision> ChoosePrecision(absl::string_view text, c10::Device device) {
  if (text == "float32") return Precision::kFloat32;
  if (text == "auto") return device.is_cuda() ? Precision::kBfloat16 : Precision::kFloat32;
  if (text != "tf32" && text != "bfloat16") {
    return absl::InvalidArgumentError(absl::StrCat(
        "there is no precision \"", text, "\"; the precisions are auto, float32, tf32, bfloat16"));
  }
  if (!device.is_cuda()) {
    return absl::FailedPreconditionError(
        absl::StrCat("--precision=", text,
                     " needs a GPU: SPION's CPU kernels take float32. "
                     "--precision=float32 runs here."));
  }
  return text == "tf32" ? Precision::kTf32 : Precision::kBfloat16;
}

void SetFloat32Math(Precision precision) {
  at::globalContext().setAllowTF32CuBLAS(precision == Precision::kTf32);
}

AutocastScope::AutocastScope(Precision precision, c10::Device device)
    : is_active_(precision == Precision::kBfloat16), device_type_(device.type()) {
  if (!is_active_) return;
  was_enabled_ = at::autocast::is_autocast_enabled(device_type_);
  dtype_before_ = at::autocast::get_autocast_dtype(device_type_);
  at::autocast::set_autocast_enabled(device_type_, true);
  at::autocast::set_autocast_dtype(device_type_, at::kBFloat16);
  at::autocast::increment_nesting();
}

AutocastScope::~AutocastScope() {
  if (!is_active_) return;
  // The weights' bf16 copies are made anew in each step: the optimiser changes the weights.
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device_type_, was_enabled_);
  at::autocast::set_autocast_dtype(device_type_, dtype_before_);
}

}  // namespace spion
