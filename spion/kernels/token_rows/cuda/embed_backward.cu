#include "spion/kernels/token_rows/cuda/by_width.cuh"
#include "spion/kernels/token_rows/cuda/embed_backward.cuh"
#include "spion/kernels/token_rows/cuda/launch.h"

namespace spion::cuda {

cudaError_t Launch(const EmbedBackward& call, cudaStream_t stream) {
  return ByWidth(call.width, [&](auto fours) {
    EmbedBackwardKernel<fours()>
        <<<static_cast<unsigned>(call.length), kRowThreads, 0, stream>>>(call);
    return cudaGetLastError();
  });
}

}  // namespace spion::cuda
