// Launches sum_parts.cuh's kernel after the one that leaves the parts.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_LAUNCH_SUM_PARTS_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_LAUNCH_SUM_PARTS_CUH_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "spion/kernels/cuda_launch/overlap.h"
#include "spion/kernels/token_rows/cuda/sum_parts.cuh"

namespace spion::cuda {

template <class Place = SamePlace>
cudaError_t SumParts(const float* parts, int64_t count, int64_t columns, float* sums,
                     cudaStream_t stream) {
  const cudaError_t error = cudaGetLastError();  // of the launch that leaves the parts
  if (error != cudaSuccess) return error;
  return StartOverlapping(SumPartsKernel<Place>, static_cast<unsigned>(columns / kPartColumns),
                          kPartColumns * kPartSlices, 0, stream, parts, static_cast<int32_t>(count),
                          static_cast<int32_t>(columns), sums);
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_LAUNCH_SUM_PARTS_CUH_
