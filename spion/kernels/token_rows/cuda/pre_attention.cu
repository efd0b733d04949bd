#include "spion/kernels/token_rows/cuda/encoder_layer_launch.h"
#include "spion/kernels/token_rows/cuda/launch_layer.cuh"
#include "spion/kernels/token_rows/cuda/pre_attention.cuh"

namespace spion::cuda {

cudaError_t Launch(const PreAttentionForward& call, cudaStream_t stream) {
  return LaunchLayer(PreAttentionForwardKernel, call, kLayerBlocks,
                     PreAttentionShared::kForwardBytes, stream);
}

cudaError_t Launch(const PreAttentionBackward& call, cudaStream_t stream) {
  return LaunchLayerSums<PreAttentionGradients, PreAttentionPlace>(
      PreAttentionBackwardKernel, call, PreAttentionShared::kBackwardBytes, stream);
}

}  // namespace spion::cuda
