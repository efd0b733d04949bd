#include "spion/kernels/attention_map/cuda/launch.cuh"
#include "spion/kernels/attention_map/cuda/launch.h"

namespace spion::cuda {

cudaError_t LaunchMapExact(const AttentionMapCall<float>& call, cudaStream_t stream) {
  return LaunchMapAs<tiles::MathF32>(call, stream);
}

}  // namespace spion::cuda
