// The kernel of adamw.h.
#ifndef SPION_KERNELS_OPTIMIZER_CUDA_ADAMW_CUH_
#define SPION_KERNELS_OPTIMIZER_CUDA_ADAMW_CUH_

#include <cmath>
#include <cstdint>

#include "spion/kernels/cuda_tiles/instructions.cuh"
#include "spion/kernels/optimizer/cuda/adamw_launch.h"

namespace spion::cuda {

/// Unlike fminf and fmaxf, gives what is no number back.
__device__ __forceinline__ float Clipped(float gradient, float limit) {
  if (gradient > limit) return limit;
  return gradient < -limit ? -limit : gradient;
}

/// Grid: first_block[count] thread blocks of kAdamWThreads.
static __global__ void __launch_bounds__(kAdamWThreads)
    AdamWKernel(const __grid_constant__ AdamWLaunch call) {
  const auto block = static_cast<int32_t>(blockIdx.x);
  int which = 0;
  while (block >= call.first_block[which + 1]) ++which;
  const AdamWTensor& tensor = call.tensors[which];

  // 1 - beta^t, without its rounding error for a beta near 1.
  const float t = *call.steps_taken;
  const float correction1 = -expm1f(t * call.log_beta1);
  const float correction2 = -expm1f(t * call.log_beta2);
  const float rate = *call.learning_rate;
  const float step_size = rate / correction1;
  const float inverse_root = 1 / sqrtf(correction2);
  const float kept = 1 - rate * call.weight_decay;

  const int64_t first = int64_t{block - call.first_block[which]} * kAdamWPerBlock + threadIdx.x;
#pragma unroll
  for (int i = 0; i < kAdamWPerBlock; i += kAdamWThreads) {
    const int64_t at = first + i;
    if (at >= tensor.count) return;
    const float g = Clipped(call.gradient_scale * tensor.gradient[at], call.gradient_limit);
    const float m = fmaf(call.beta1, tensor.first_moment[at], call.rest1 * g);
    const float v = fmaf(call.beta2, tensor.second_moment[at], call.rest2 * g * g);
    tensor.first_moment[at] = m;
    tensor.second_moment[at] = v;
    const float moved = step_size * m / fmaf(sqrtf(v), inverse_root, call.epsilon);
    tensor.parameter[at] = fmaf(kept, tensor.parameter[at], -moved);
  }
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_OPTIMIZER_CUDA_ADAMW_CUH_
