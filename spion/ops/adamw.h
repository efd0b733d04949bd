// A step of AdamW (Loshchilov & Hutter 2019), its gradients clipped by value, over many tensors.
#ifndef SPION_OPS_ADAMW_H_
#define SPION_OPS_ADAMW_H_

#include <ATen/core/Tensor.h>

namespace spion {

struct AdamWSettings {
  double beta1;
  double beta2;
  double epsilon;
  double weight_decay;
  double gradient_limit;      // gradients are clipped to +- this,
  double gradient_scale = 1;  // after they have been multiplied by this
};

/// float32 tensors of one device, those of one parameter of one size; parameters and moments are
/// contiguous.
struct AdamWTensors {
  at::TensorList parameters;
  at::TensorList first_moments;
  at::TensorList second_moments;
  at::Tensor steps_taken;    // a scalar
  at::Tensor learning_rate;  // likewise
};

/// Adds one to the steps taken, and moves parameters and moments; may scale and clip the gradients
/// in place. On a GPU by spion/kernels/optimizer, on a CPU by LibTorch's fused AdamW. Reads nothing
/// on the host: it may be recorded. The same bits every run. Throws c10::Error that names an
/// operand of another size, type or device.
void StepAdamW(const AdamWSettings& settings, at::TensorList gradients,
               const AdamWTensors& tensors);

/// The GPU's side.
class AdamWKernel {
 public:
  static constexpr char kName[] = "AdamW";
  virtual ~AdamWKernel() = default;
  virtual void Step(const AdamWSettings& settings, at::TensorList gradients,
                    const AdamWTensors& tensors) const = 0;
};

}  // namespace spion

#endif  // SPION_OPS_ADAMW_H_
