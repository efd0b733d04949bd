#include "spion/kernels/block_sparse/cuda/launch.cuh"
#include "spion/kernels/block_sparse/cuda/launch.h"

namespace spion::cuda {

cudaError_t LaunchForward(const BlockSparseForward<BFloat16>& call, cudaStream_t stream) {
  return LaunchAs<tiles::MathBF16>(call, stream);
}

}  // namespace spion::cuda
