#include "spion/kernels/token_rows/cuda/encoder_layer_launch.h"
#include "spion/kernels/token_rows/cuda/launch_layer.cuh"
#include "spion/kernels/token_rows/cuda/post_attention_backward.cuh"

namespace spion::cuda {

cudaError_t Launch(const PostAttentionForward& call, cudaStream_t stream) {
  return LaunchLayer(PostAttentionForwardKernel, call, kLayerBlocks,
                     PostAttentionShared::kForwardBytes, stream);
}

cudaError_t Launch(const PostAttentionBackward& call, cudaStream_t stream) {
  return LaunchLayerSums<PostAttentionGradients, PostAttentionPlace>(
      PostAttentionBackwardKernel, call, PostAttentionRows::kBytes, stream);
}

int EncoderLayerSharedBytes() { return PostAttentionRows::kBytes; }

}  // namespace spion::cuda
