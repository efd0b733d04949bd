// Starts the kernels: the seam between nvcc's files and the host compiler's. Private to this
// package.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_LAUNCH_H_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_LAUNCH_H_

#include <cuda_runtime_api.h>

#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/common/number.h"

namespace spion::cuda {

/// Arguments are valid, problem.float32 too: Exact for kExact, the others for kTf32, of float.
cudaError_t LaunchForward(const BlockSparseForward<Float16>& call, cudaStream_t stream);
cudaError_t LaunchForward(const BlockSparseForward<BFloat16>& call, cudaStream_t stream);
cudaError_t LaunchForward(const BlockSparseForward<float>& call, cudaStream_t stream);
cudaError_t LaunchForwardExact(const BlockSparseForward<float>& call, cudaStream_t stream);
cudaError_t LaunchBackward(const BlockSparseBackward<Float16>& call, cudaStream_t stream);
cudaError_t LaunchBackward(const BlockSparseBackward<BFloat16>& call, cudaStream_t stream);
cudaError_t LaunchBackward(const BlockSparseBackward<float>& call, cudaStream_t stream);
cudaError_t LaunchBackwardExact(const BlockSparseBackward<float>& call, cudaStream_t stream);

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_LAUNCH_H_
