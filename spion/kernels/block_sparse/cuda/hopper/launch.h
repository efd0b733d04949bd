// Starts the kernels for Hopper: the seam between nvcc's files and the host compiler's. Private to
// block_sparse/cuda.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_LAUNCH_H_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_LAUNCH_H_

#include <cuda_runtime_api.h>

#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/common/number.h"

namespace spion::cuda::hopper {

/// Arguments are valid, the pass has a way (shapes.h), and the device runs it
/// (cuda_hopper/device.h).
cudaError_t LaunchForward(const BlockSparseForward<Float16>& call, cudaStream_t stream);
cudaError_t LaunchForward(const BlockSparseForward<BFloat16>& call, cudaStream_t stream);
cudaError_t LaunchBackward(const BlockSparseBackward<Float16>& call, cudaStream_t stream);
cudaError_t LaunchBackward(const BlockSparseBackward<BFloat16>& call, cudaStream_t stream);

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_LAUNCH_H_
