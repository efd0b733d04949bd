#include "spion/kernels/block_sparse/cuda/launch.cuh"
#include "spion/kernels/block_sparse/cuda/launch.h"

namespace spion::cuda {

cudaError_t LaunchForwardExact(const BlockSparseForward<float>& call, cudaStream_t stream) {
  return LaunchAs<tiles::MathF32>(call, stream);
}

}  // namespace spion::cuda
