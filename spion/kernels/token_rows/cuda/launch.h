// Starts the kernels: the seam between nvcc's files and the host compiler's. Private to this
// package.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_LAUNCH_H_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_LAUNCH_H_

#include <cuda_runtime_api.h>

#include "spion/kernels/token_rows/api.h"

namespace spion::cuda {

/// Arguments are valid. T, Branch: float, BFloat16.
template <typename Branch, typename T>
cudaError_t Launch(const AddNormForward<Branch, T>& call, cudaStream_t stream);
template <typename Branch, typename T>
cudaError_t Launch(const AddNormBackward<Branch, T>& call, cudaStream_t stream);
cudaError_t Launch(const NormMean& call, cudaStream_t stream);
template <typename T>
cudaError_t Launch(const EmbedNormForward<T>& call, cudaStream_t stream);
cudaError_t Launch(const EmbedBackward& call, cudaStream_t stream);
cudaError_t Launch(const TokenSums& call, cudaStream_t stream);
template <typename T>
cudaError_t Launch(const ColumnSums<T>& call, cudaStream_t stream);
template <typename T>
cudaError_t Launch(const GeluDropoutForward<T>& call, cudaStream_t stream);
template <typename T>
cudaError_t Launch(const GeluDropoutBackward<T>& call, cudaStream_t stream);

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_LAUNCH_H_
