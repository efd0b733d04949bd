// Starts the kernels of encoder_layer.h: the seam between nvcc's files and the host compiler's.
// Private to this package.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_ENCODER_LAYER_LAUNCH_H_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_ENCODER_LAYER_LAUNCH_H_

#include <cuda_runtime_api.h>

#include "spion/kernels/token_rows/encoder_layer.h"

namespace spion::cuda {

/// Arguments are valid.
cudaError_t Launch(const PreAttentionForward& call, cudaStream_t stream);
cudaError_t Launch(const PreAttentionBackward& call, cudaStream_t stream);
cudaError_t Launch(const PostAttentionForward& call, cudaStream_t stream);
cudaError_t Launch(const PostAttentionBackward& call, cudaStream_t stream);

/// The most shared memory that a thread block of these takes, in bytes.
int EncoderLayerSharedBytes();

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_ENCODER_LAYER_LAUNCH_H_
