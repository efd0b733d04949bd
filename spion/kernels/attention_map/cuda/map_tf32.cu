#include "spion/kernels/attention_map/cuda/launch.cuh"
#include "spion/kernels/attention_map/cuda/launch.h"

namespace spion::cuda {

cudaError_t LaunchMap(const AttentionMapCall<float>& call, cudaStream_t stream) {
  return LaunchMapAs<tiles::MathTf32>(call, stream);
}

}  // namespace spion::cuda
