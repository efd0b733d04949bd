#include "spion/kernels/block_sparse/cuda/hopper/launch.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/launch.h"

namespace spion::cuda::hopper {

cudaError_t LaunchBackward(const BlockSparseBackward<Float16>& call, cudaStream_t stream) {
  return LaunchAny(call, stream);
}

}  // namespace spion::cuda::hopper
