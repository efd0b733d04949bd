#include "spion/kernels/classifier/cuda/classifier.cuh"
#include "spion/kernels/classifier/cuda/cross_entropy.cuh"
#include "spion/kernels/cuda_launch/overlap.h"

namespace spion::cuda {
namespace {

unsigned ExampleBlocks(const ClassifierSizes& sizes) {
  return static_cast<unsigned>((sizes.examples + kClassifierExamples - 1) / kClassifierExamples);
}

}  // namespace

cudaError_t Launch(const ClassifierForward& call, cudaStream_t stream) {
  return StartOverlapping(ClassifierForwardKernel, ExampleBlocks(call.sizes), kClassifierThreads, 0,
                          stream, call);
}

cudaError_t Launch(const ClassifierBackward& call, cudaStream_t stream) {
  const cudaError_t error = StartOverlapping(ClassifierBackwardKernel, ExampleBlocks(call.sizes),
                                             kClassifierThreads, 0, stream, call);
  if (error != cudaSuccess) return error;
  const auto rows = static_cast<unsigned>(call.sizes.hidden + call.sizes.classes);
  return StartOverlapping(ClassifierWeightsKernel, rows, kClassifierSlices * kClassifierColumns, 0,
                          stream, call);
}

cudaError_t Launch(const CrossEntropy& call, cudaStream_t stream) {
  return StartOverlapping(CrossEntropyKernel, 1, kCrossEntropyThreads, 0, stream, call);
}

}  // namespace spion::cuda
