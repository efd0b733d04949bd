// Starts the kernels: the seam between nvcc's file and the host compiler's. Private to this
// package.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_LAUNCH_H_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_LAUNCH_H_

#include <cuda_runtime_api.h>

#include "spion/kernels/token_rows/api.h"

namespace spion::cuda {

/// Arguments are valid. T: float, BFloat16.
template <typename T>
cudaError_t Launch(const LayerNormForward<T>& call, cudaStream_t stream);
template <typename T>
cudaError_t Launch(const LayerNormBackward<T>& call, cudaStream_t stream);
template <typename T>
cudaError_t Launch(const ColumnSums<T>& call, cudaStream_t stream);

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_LAUNCH_H_
