// Starts the kernels: the seam between nvcc's files and the host compiler's. Private to this
// package.
#ifndef SPION_KERNELS_ATTENTION_MAP_CUDA_LAUNCH_H_
#define SPION_KERNELS_ATTENTION_MAP_CUDA_LAUNCH_H_

#include <cuda_runtime_api.h>

#include "spion/kernels/attention_map/call.h"

namespace spion::cuda {

/// Arguments are valid; head_dim is one of 16, 32, 64, 128. float: tf32, and Exact for fp32.
cudaError_t LaunchMap(const AttentionMapCall<Float16>& call, cudaStream_t stream);
cudaError_t LaunchMap(const AttentionMapCall<BFloat16>& call, cudaStream_t stream);
cudaError_t LaunchMap(const AttentionMapCall<float>& call, cudaStream_t stream);
cudaError_t LaunchMapExact(const AttentionMapCall<float>& call, cudaStream_t stream);

}  // namespace spion::cuda

#endif  // SPION_KERNELS_ATTENTION_MAP_CUDA_LAUNCH_H_
