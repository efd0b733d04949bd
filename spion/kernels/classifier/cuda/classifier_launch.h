// Starts the kernels of api.h: the seam between nvcc's file and the host compiler's. Private to
// this package.
#ifndef SPION_KERNELS_CLASSIFIER_CUDA_CLASSIFIER_LAUNCH_H_
#define SPION_KERNELS_CLASSIFIER_CUDA_CLASSIFIER_LAUNCH_H_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "spion/kernels/classifier/api.h"

namespace spion::cuda {

constexpr int kClassifierThreads = 128;
constexpr int kClassifierExamples = 4;  // of a thread block
constexpr int kClassifierSlices = 4;    // of the examples, in a sum over them
constexpr int kClassifierColumns = 64;  // of a weight, at a time
constexpr int kCrossEntropyThreads = 256;

/// Arguments are valid.
cudaError_t Launch(const ClassifierForward& call, cudaStream_t stream);
cudaError_t Launch(const ClassifierBackward& call, cudaStream_t stream);
cudaError_t Launch(const CrossEntropy& call, cudaStream_t stream);

}  // namespace spion::cuda

#endif  // SPION_KERNELS_CLASSIFIER_CUDA_CLASSIFIER_LAUNCH_H_
