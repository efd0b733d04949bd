#include "spion/kernels/attention_map/cuda/launch.cuh"
#include "spion/kernels/attention_map/cuda/launch.h"

namespace spion::cuda {

cudaError_t LaunchMap(const AttentionMapCall<BFloat16>& call, cudaStream_t stream) {
  return LaunchMapAs<tiles::MathBF16>(call, stream);
}

}  // namespace spion::cuda
