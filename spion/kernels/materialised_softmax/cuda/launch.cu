#include "spion/kernels/materialised_softmax/cuda/launch.h"
#include "spion/kernels/materialised_softmax/cuda/softmax.cuh"

namespace spion::cuda {
namespace {

template <int kVectors>
void Start(const SoftmaxForward& call, cudaStream_t stream) {
  SoftmaxForwardKernel<kVectors>
      <<<static_cast<unsigned>(call.batch * call.rows), kScoreThreads, 0, stream>>>(call);
}
template <int kVectors>
void Start(const SoftmaxBackward& call, cudaStream_t stream) {
  SoftmaxBackwardKernel<kVectors>
      <<<static_cast<unsigned>(call.batch * call.rows), kScoreThreads, 0, stream>>>(call);
}

template <typename Call>
cudaError_t StartByWidth(const Call& call, cudaStream_t stream) {
  if (call.width <= kScoresAtOnce) {
    Start<1>(call, stream);
  } else if (call.width <= 2 * kScoresAtOnce) {
    Start<2>(call, stream);
  } else if (call.width <= 4 * kScoresAtOnce) {
    Start<4>(call, stream);
  } else {
    Start<8>(call, stream);
  }
  return cudaGetLastError();
}

static_assert(kMaxScores == 8 * kScoresAtOnce);

}  // namespace

cudaError_t Launch(const SoftmaxForward& call, cudaStream_t stream) {
  return StartByWidth(call, stream);
}
cudaError_t Launch(const SoftmaxBackward& call, cudaStream_t stream) {
  return StartByWidth(call, stream);
}

}  // namespace spion::cuda
