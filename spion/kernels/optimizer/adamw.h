// A step of AdamW (Loshchilov & Hutter 2019) with gradients clipped by value, over many tensors:
//
//   g = clamp(scale * gradient, -limit, limit)
//   m = beta1 m + (1 - beta1) g
//   v = beta2 v + (1 - beta2) g^2
//   p = p (1 - rate decay) - rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
//
// A gradient that is no number makes its parameter one.
#ifndef SPION_KERNELS_OPTIMIZER_ADAMW_H_
#define SPION_KERNELS_OPTIMIZER_ADAMW_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"

struct CUstream_st;  // cudaStream_t is a pointer to it

namespace spion::cuda {

/// Device pointers to [count] each.
struct AdamWTensor {
  int64_t count;
  float* parameter;
  const float* gradient;
  float* first_moment;   // m
  float* second_moment;  // v
};

struct AdamWStep {
  const float* learning_rate;  // on the device
  const float* steps_taken;    // t, on the device: this step included
  double beta1;                // 0 <= beta < 1
  double beta2;
  float epsilon;
  float weight_decay;
  float gradient_limit;
  float gradient_scale = 1;
};

/// Queues on `stream`; neither allocates nor waits. A launch takes kAdamWTensors tensors. The same
/// bits every run. Errors, with nothing written: InvalidArgument for a tensor of less than one
/// number or more than 2^31, or betas that are none; Internal with CUDA's message if a launch
/// fails.
absl::Status Run(const AdamWStep& step, absl::Span<const AdamWTensor> tensors, CUstream_st* stream);

}  // namespace spion::cuda

#endif  // SPION_KERNELS_OPTIMIZER_ADAMW_H_
