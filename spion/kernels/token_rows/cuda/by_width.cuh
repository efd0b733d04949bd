// From a row's width, a run-time number, to the kernels' template argument.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_BY_WIDTH_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_BY_WIDTH_CUH_

#include <cuda_runtime_api.h>

#include <cstdint>
#include <type_traits>

namespace spion::cuda {

/// Calls launch(std::integral_constant<int, width / 64>) for widths that are normalised.
template <class LaunchOf>
cudaError_t ByWidth(int64_t width, LaunchOf&& launch) {
  switch (width) {
    case 64:
      return launch(std::integral_constant<int, 1>());
    case 128:
      return launch(std::integral_constant<int, 2>());
    case 256:
      return launch(std::integral_constant<int, 4>());
    case 512:
      return launch(std::integral_constant<int, 8>());
    default:
      return cudaErrorInvalidValue;
  }
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_BY_WIDTH_CUH_
