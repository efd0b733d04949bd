// The launches of one kind of number. Each .cu file instantiates one, so that they compile side by
// side.
#ifndef SPION_KERNELS_ATTENTION_MAP_CUDA_LAUNCH_CUH_
#define SPION_KERNELS_ATTENTION_MAP_CUDA_LAUNCH_CUH_

#include <cuda_runtime.h>

#include <cstdint>

#include "spion/kernels/attention_map/cuda/mean_map.cuh"
#include "spion/kernels/attention_map/cuda/row_statistics.cuh"
#include "spion/kernels/common/head_dim.h"
#include "spion/kernels/cuda_launch/parts.h"

namespace spion::cuda {

inline uint32_t PartsOf(int64_t whole, int64_t part) {
  return static_cast<uint32_t>((whole + part - 1) / part);
}

template <class Math, int kHeadDim>
cudaError_t LaunchMapOf(const AttentionMapCall<typename Math::Element>& call, cudaStream_t stream) {
  const uint32_t row_blocks = PartsOf(call.length, kStatisticsRows<Math, kHeadDim>);
  const cudaError_t error = InParts(
      call.batch * call.heads, kMaxGridColumns / row_blocks, [&](int64_t first, int64_t heads) {
        RowStatisticsKernel<Math, kHeadDim>
            <<<static_cast<uint32_t>(row_blocks * heads), 32 * kStatisticsWarps, 0, stream>>>(
                call, row_blocks, static_cast<uint32_t>(first));
        return cudaGetLastError();
      });
  if (error != cudaSuccess) return error;
  const uint32_t side = PartsOf(call.length, kMapSide);
  MeanMapKernel<Math, kHeadDim><<<dim3(side, side), 32 * kMapWarps, 0, stream>>>(call);
  return cudaGetLastError();
}

template <class Math>
cudaError_t LaunchMapAs(const AttentionMapCall<typename Math::Element>& call, cudaStream_t stream) {
  return DispatchHeadDim(call.head_dim,
                         [&]<int kHeadDim>() { return LaunchMapOf<Math, kHeadDim>(call, stream); });
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_ATTENTION_MAP_CUDA_LAUNCH_CUH_
