#include "spion/kernels/token_rows/cuda/gelu_dropout.cuh"
#include "spion/kernels/token_rows/cuda/launch.h"

namespace spion::cuda {
namespace {

unsigned Blocks(int64_t count) {
  return static_cast<unsigned>((count / 8 + kEightsPerBlock - 1) / kEightsPerBlock);
}

}  // namespace

template <typename T>
cudaError_t Launch(const GeluDropoutForward<T>& call, cudaStream_t stream) {
  GeluDropoutForwardKernel<<<Blocks(call.count), kGeluThreads, 0, stream>>>(call);
  return cudaGetLastError();
}
template <typename T>
cudaError_t Launch(const GeluDropoutBackward<T>& call, cudaStream_t stream) {
  GeluDropoutBackwardKernel<<<Blocks(call.count), kGeluThreads, 0, stream>>>(call);
  return cudaGetLastError();
}

template cudaError_t Launch(const GeluDropoutForward<float>&, cudaStream_t);
template cudaError_t Launch(const GeluDropoutForward<BFloat16>&, cudaStream_t);
template cudaError_t Launch(const GeluDropoutBackward<float>&, cudaStream_t);
template cudaError_t Launch(const GeluDropoutBackward<BFloat16>&, cudaStream_t);

}  // namespace spion::cuda
