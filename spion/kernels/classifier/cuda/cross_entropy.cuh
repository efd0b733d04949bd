// The loss of a batch, its gradient and how many answers are right, in one thread block.
#ifndef SPION_KERNELS_CLASSIFIER_CUDA_CROSS_ENTROPY_CUH_
#define SPION_KERNELS_CLASSIFIER_CUDA_CROSS_ENTROPY_CUH_

#include <cassert>
#include <cmath>
#include <cstdint>

#include "spion/kernels/classifier/api.h"
#include "spion/kernels/classifier/cuda/classifier_launch.h"
#include "spion/kernels/cuda_tiles/instructions.cuh"

namespace spion::cuda {

/// Grid: one thread block of kCrossEntropyThreads.
static __global__ void __launch_bounds__(kCrossEntropyThreads)
    CrossEntropyKernel(const __grid_constant__ CrossEntropy call) {
  __shared__ float losses[kCrossEntropyThreads];
  __shared__ int32_t rights[kCrossEntropyThreads];
  tiles::WaitForKernelBefore();
  tiles::LetNextKernelStart();
  const auto classes = static_cast<int32_t>(call.classes);
  const float share = 1 / static_cast<float>(call.examples);
  float loss = 0;
  int32_t right = 0;
  for (int64_t example = threadIdx.x; example < call.examples; example += kCrossEntropyThreads) {
    const float* logits = call.logits + example * classes;
    const int64_t label = call.labels[example];
    assert(label >= 0 && label < classes && "a label that is no class");
    int32_t largest = 0;
    for (int32_t c = 1; c < classes; ++c) {
      if (logits[c] > logits[largest]) largest = c;
    }
    const float top = logits[largest];
    float sum = 0;
    for (int32_t c = 0; c < classes; ++c) sum += expf(logits[c] - top);
    loss += logf(sum) + (top - logits[label]);
    right += largest == label ? 1 : 0;
    for (int32_t c = 0; c < classes; ++c) {
      const float probability = expf(logits[c] - top) / sum;
      call.grad_logits[example * classes + c] = (probability - (c == label ? 1 : 0)) * share;
    }
  }
  losses[threadIdx.x] = loss;
  rights[threadIdx.x] = right;
  for (uint32_t half = kCrossEntropyThreads / 2; half > 0; half /= 2) {
    __syncthreads();  // the sums of both halves are there before the first adds the second's
    if (threadIdx.x >= half) continue;
    losses[threadIdx.x] += losses[threadIdx.x + half];
    rights[threadIdx.x] += rights[threadIdx.x + half];
  }
  if (threadIdx.x > 0) return;
  *call.loss = losses[0] * share;
  *call.right = static_cast<float>(rights[0]);
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_CLASSIFIER_CUDA_CROSS_ENTROPY_CUH_
