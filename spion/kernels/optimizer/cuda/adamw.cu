#include "spion/kernels/optimizer/cuda/adamw.cuh"

namespace spion::cuda {

cudaError_t Launch(const AdamWLaunch& call, cudaStream_t stream) {
  AdamWKernel<<<static_cast<unsigned>(call.first_block[call.count]), kAdamWThreads, 0, stream>>>(
      call);
  return cudaGetLastError();
}

}  // namespace spion::cuda
