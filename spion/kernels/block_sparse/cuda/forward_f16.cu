#include "spion/kernels/block_sparse/cuda/launch.cuh"
#include "spion/kernels/block_sparse/cuda/launch.h"

namespace spion::cuda {

cudaError_t LaunchForward(const BlockSparseForward<Float16>& call, cudaStream_t stream) {
  return LaunchAs<tiles::MathF16>(call, stream);
}

}  // namespace spion::cuda
