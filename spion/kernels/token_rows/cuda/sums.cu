#include "spion/kernels/token_rows/cuda/column_sums.cuh"
#include "spion/kernels/token_rows/cuda/launch.h"
#include "spion/kernels/token_rows/cuda/launch_sum_parts.cuh"
#include "spion/kernels/token_rows/cuda/token_sums.cuh"

namespace spion::cuda {

template <typename T>
cudaError_t Launch(const ColumnSums<T>& call, cudaStream_t stream) {
  const int64_t blocks = ColumnSumBlocks(call.rows, call.width);
  const dim3 grid(static_cast<unsigned>(blocks),
                  static_cast<unsigned>(call.width / kColumnsAtOnce));
  ColumnSumsKernel<<<grid, kRowThreads, 0, stream>>>(call);
  if (blocks == 1) return cudaGetLastError();
  return SumParts(call.scratch, blocks, call.width, call.sums, stream);
}

cudaError_t Launch(const TokenSums& call, cudaStream_t stream) {
  const int64_t blocks = TokenSumBlocks(call.rows);
  const dim3 grid(static_cast<unsigned>(blocks), static_cast<unsigned>(call.width / kTokenColumns));
  TokenSumsKernel<<<grid, kSortThreads, 0, stream>>>(call);
  return SumParts(call.scratch, blocks, call.vocabulary * call.width, call.sums, stream);
}

template cudaError_t Launch(const ColumnSums<float>&, cudaStream_t);
template cudaError_t Launch(const ColumnSums<BFloat16>&, cudaStream_t);

}  // namespace spion::cuda
