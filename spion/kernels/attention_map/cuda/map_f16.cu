#include "spion/kernels/attention_map/cuda/launch.cuh"
#include "spion/kernels/attention_map/cuda/launch.h"

namespace spion::cuda {

cudaError_t LaunchMap(const AttentionMapCall<Float16>& call, cudaStream_t stream) {
  return LaunchMapAs<tiles::MathF16>(call, stream);
}

}  // namespace spion::cuda
