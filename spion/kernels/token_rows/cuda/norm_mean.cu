#include "spion/kernels/token_rows/cuda/by_width.cuh"
#include "spion/kernels/token_rows/cuda/launch.h"
#include "spion/kernels/token_rows/cuda/norm_mean.cuh"

namespace spion::cuda {

cudaError_t Launch(const NormMean& call, cudaStream_t stream) {
  const auto sequences = static_cast<unsigned>(call.sequences);
  return ByWidth(call.width, [&](auto fours) {
    NormMeanKernel<fours()>
        <<<sequences* static_cast<unsigned>(MeanParts(call.length)), kRowThreads, 0, stream>>>(
            call);
    const cudaError_t error = cudaGetLastError();
    if (error != cudaSuccess) return error;
    NormMeanSumKernel<<<sequences, static_cast<unsigned>(call.width), 0, stream>>>(call);
    return cudaGetLastError();
  });
}

}  // namespace spion::cuda
