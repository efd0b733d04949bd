// Starts the kernel of adamw.h: the seam between nvcc's file and the host compiler's. Private to
// this package.
#ifndef SPION_KERNELS_OPTIMIZER_CUDA_ADAMW_LAUNCH_H_
#define SPION_KERNELS_OPTIMIZER_CUDA_ADAMW_LAUNCH_H_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "spion/kernels/optimizer/adamw.h"

namespace spion::cuda {

constexpr int kAdamWTensors = 64;  // of a launch: its arguments are 4 KB at most
constexpr int kAdamWThreads = 256;
constexpr int kAdamWPerBlock = 4 * kAdamWThreads;  // numbers of one tensor

struct AdamWLaunch {
  const float* learning_rate;
  const float* steps_taken;
  float log_beta1;  // natural logarithms; of 0: minus infinity
  float log_beta2;
  float beta1;
  float beta2;
  float rest1;  // 1 - beta1
  float rest2;
  float epsilon;
  float weight_decay;
  float gradient_limit;
  float gradient_scale;
  int32_t count;                           // of tensors
  int32_t first_block[kAdamWTensors + 1];  // of each tensor; behind the last one's: the grid
  AdamWTensor tensors[kAdamWTensors];
};

/// Arguments are valid.
cudaError_t Launch(const AdamWLaunch& call, cudaStream_t stream);

/// The launch of at most kAdamWTensors tensors.
AdamWLaunch LaunchOf(const AdamWStep& step, absl::Span<const AdamWTensor> tensors);

}  // namespace spion::cuda

#endif  // SPION_KERNELS_OPTIMIZER_CUDA_ADAMW_LAUNCH_H_
