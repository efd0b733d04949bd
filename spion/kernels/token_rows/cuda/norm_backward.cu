#include "spion/kernels/token_rows/cuda/by_width.cuh"
#include "spion/kernels/token_rows/cuda/launch.h"
#include "spion/kernels/token_rows/cuda/launch_sum_parts.cuh"
#include "spion/kernels/token_rows/cuda/norm_backward.cuh"

namespace spion::cuda {

template <typename Branch, typename T>
cudaError_t Launch(const AddNormBackward<Branch, T>& call, cudaStream_t stream) {
  const int64_t blocks = SumBlocks(call.rows);
  return ByWidth(call.width, [&](auto fours) {
    AddNormBackwardKernel<Branch, T, fours()>
        <<<static_cast<unsigned>(blocks), kRowThreads, 0, stream>>>(call);
    return SumParts(call.scratch, blocks, 2 * call.width, call.grad_parameters, stream);
  });
}

template cudaError_t Launch(const AddNormBackward<float, float>&, cudaStream_t);
template cudaError_t Launch(const AddNormBackward<float, BFloat16>&, cudaStream_t);
template cudaError_t Launch(const AddNormBackward<BFloat16, float>&, cudaStream_t);
template cudaError_t Launch(const AddNormBackward<BFloat16, BFloat16>&, cudaStream_t);

}  // namespace spion::cuda
