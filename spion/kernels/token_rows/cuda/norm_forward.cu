#include "spion/kernels/token_rows/cuda/by_width.cuh"
#include "spion/kernels/token_rows/cuda/launch.h"
#include "spion/kernels/token_rows/cuda/norm_forward.cuh"

namespace spion::cuda {
namespace {

template <int kFours>
unsigned Blocks(int64_t rows) {
  return static_cast<unsigned>((rows + kRowsPerBlock<kFours> - 1) / kRowsPerBlock<kFours>);
}

}  // namespace

template <typename Branch, typename T>
cudaError_t Launch(const AddNormForward<Branch, T>& call, cudaStream_t stream) {
  return ByWidth(call.width, [&](auto fours) {
    AddNormForwardKernel<Branch, T, fours()>
        <<<Blocks<fours()>(call.rows), kRowThreads, 0, stream>>>(call);
    return cudaGetLastError();
  });
}

template <typename T>
cudaError_t Launch(const EmbedNormForward<T>& call, cudaStream_t stream) {
  return ByWidth(call.width, [&](auto fours) {
    EmbedNormForwardKernel<T, fours()>
        <<<Blocks<fours()>(call.rows), kRowThreads, 0, stream>>>(call);
    return cudaGetLastError();
  });
}

template cudaError_t Launch(const AddNormForward<float, float>&, cudaStream_t);
template cudaError_t Launch(const AddNormForward<float, BFloat16>&, cudaStream_t);
template cudaError_t Launch(const AddNormForward<BFloat16, float>&, cudaStream_t);
template cudaError_t Launch(const AddNormForward<BFloat16, BFloat16>&, cudaStream_t);
template cudaError_t Launch(const EmbedNormForward<float>&, cudaStream_t);
template cudaError_t Launch(const EmbedNormForward<BFloat16>&, cudaStream_t);

}  // namespace spion::cuda
