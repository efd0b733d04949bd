#include "spion/kernels/token_rows/cuda/by_width.cuh"
#include "spion/kernels/token_rows/cuda/drop_rows.cuh"
#include "spion/kernels/token_rows/cuda/launch.h"

namespace spion::cuda {

cudaError_t Launch(const DropRows& call, cudaStream_t stream) {
  return ByWidth(call.width, [&](auto fours) {
    DropRowsKernel<fours()>
        <<<static_cast<unsigned>(SumBlocks(call.rows)), kRowThreads, 0, stream>>>(call);
    return cudaGetLastError();
  });
}

}  // namespace spion::cuda
