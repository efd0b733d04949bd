#include "spion/kernels/block_sparse/cuda/hopper/launch.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/launch.h"

namespace spion::cuda::hopper {

cudaError_t LaunchForward(const BlockSparseForward<BFloat16>& call, cudaStream_t stream) {
  return LaunchAny(call, stream);
}

}  // namespace spion::cuda::hopper
