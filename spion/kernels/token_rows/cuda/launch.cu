#include "spion/kernels/token_rows/cuda/column_sums.cuh"
#include "spion/kernels/token_rows/cuda/launch.h"
#include "spion/kernels/token_rows/cuda/layer_norm.cuh"

namespace spion::cuda {
namespace {

cudaError_t SumParts(const float* parts, int64_t count, int64_t columns, float* sums,
                     cudaStream_t stream) {
  const cudaError_t error = cudaGetLastError();  // of the launch that leaves the parts
  if (error != cudaSuccess) return error;
  SumPartsKernel<<<static_cast<unsigned>(columns / kPartColumns), kPartColumns * kPartSlices, 0,
                   stream>>>(parts, static_cast<int32_t>(count), static_cast<int32_t>(columns),
                             sums);
  return cudaGetLastError();
}

template <int kFours, typename T>
cudaError_t LaunchOf(const LayerNormForward<T>& call, cudaStream_t stream) {
  const int64_t blocks = (call.rows + kRowsABlock<kFours> - 1) / kRowsABlock<kFours>;
  LayerNormForwardKernel<T, kFours>
      <<<static_cast<unsigned>(blocks), kRowThreads, 0, stream>>>(call);
  return cudaGetLastError();
}

template <int kFours, typename T>
cudaError_t LaunchOf(const LayerNormBackward<T>& call, cudaStream_t stream) {
  const int64_t blocks = SumBlocks(call.rows);
  LayerNormBackwardKernel<T, kFours>
      <<<static_cast<unsigned>(blocks), kRowThreads, 0, stream>>>(call);
  return SumParts(call.scratch, blocks, 2 * call.width, call.grad_parameters, stream);
}

template <typename Call>
cudaError_t LaunchByWidth(const Call& call, cudaStream_t stream) {
  switch (call.width / kColumnsAtOnce) {
    case 1:
      return LaunchOf<1>(call, stream);
    case 2:
      return LaunchOf<2>(call, stream);
    case 4:
      return LaunchOf<4>(call, stream);
    case 8:
      return LaunchOf<8>(call, stream);
    default:
      return cudaErrorInvalidValue;
  }
}

}  // namespace

template <typename T>
cudaError_t Launch(const LayerNormForward<T>& call, cudaStream_t stream) {
  return LaunchByWidth(call, stream);
}
template <typename T>
cudaError_t Launch(const LayerNormBackward<T>& call, cudaStream_t stream) {
  return LaunchByWidth(call, stream);
}
template <typename T>
cudaError_t Launch(const ColumnSums<T>& call, cudaStream_t stream) {
  const int64_t blocks = SumBlocks(call.rows);
  const dim3 grid(static_cast<unsigned>(blocks),
                  static_cast<unsigned>(call.width / kColumnsAtOnce));
  ColumnSumsKernel<<<grid, kRowThreads, 0, stream>>>(call);
  return SumParts(call.scratch, blocks, call.width, call.sums, stream);
}

template cudaError_t Launch(const LayerNormForward<float>&, cudaStream_t);
template cudaError_t Launch(const LayerNormForward<BFloat16>&, cudaStream_t);
template cudaError_t Launch(const LayerNormBackward<float>&, cudaStream_t);
template cudaError_t Launch(const LayerNormBackward<BFloat16>&, cudaStream_t);
template cudaError_t Launch(const ColumnSums<float>&, cudaStream_t);
template cudaError_t Launch(const ColumnSums<BFloat16>&, cudaStream_t);

}  // namespace spion::cuda
