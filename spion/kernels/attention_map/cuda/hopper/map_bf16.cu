#include "spion/kernels/attention_map/cuda/hopper/launch.cuh"
#include "spion/kernels/attention_map/cuda/hopper/launch.h"

namespace spion::cuda::hopper {

cudaError_t LaunchMap(const AttentionMapCall<BFloat16>& call, cudaStream_t stream) {
  return LaunchMapAs(call, stream);
}

}  // namespace spion::cuda::hopper
