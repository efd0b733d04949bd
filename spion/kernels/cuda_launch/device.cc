#include "spion/kernels/cuda_launch/device.h"

#include <cuda_runtime_api.h>

#include <cstddef>

#include "absl/strings/str_cat.h"

namespace spion::cuda {

absl::Status StatusOfDevice() {
  // Any question would do that comes to the device; this one changes nothing.
  size_t free = 0, total = 0;
  const cudaError_t error = cudaMemGetInfo(&free, &total);
  if (error == cudaSuccess) return absl::OkStatus();
  if (error == cudaErrorStreamCaptureUnsupported || error == cudaErrorStreamCaptureInvalidated) {
    cudaGetLastError();  // not asked while a stream is captured, which says nothing of the GPU
    return absl::OkStatus();
  }
  return absl::InternalError(
      absl::StrCat("the GPU has failed before this call: ", cudaGetErrorName(error), ", ",
                   cudaGetErrorString(error)));
}

}  // namespace spion::cuda
