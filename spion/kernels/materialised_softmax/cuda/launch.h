// Starts the kernels: the seam between nvcc's file and the host compiler's. Private to this
// package.
#ifndef SPION_KERNELS_MATERIALISED_SOFTMAX_CUDA_LAUNCH_H_
#define SPION_KERNELS_MATERIALISED_SOFTMAX_CUDA_LAUNCH_H_

#include <cuda_runtime_api.h>

#include "spion/kernels/materialised_softmax/api.h"

namespace spion::cuda {

/// Arguments are valid.
cudaError_t Launch(const SoftmaxForward& call, cudaStream_t stream);
cudaError_t Launch(const SoftmaxBackward& call, cudaStream_t stream);

}  // namespace spion::cuda

#endif  // SPION_KERNELS_MATERIALISED_SOFTMAX_CUDA_LAUNCH_H_
