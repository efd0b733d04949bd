// The launches of one kind of number. Each .cu file instantiates one, so that they compile side by
// side.
#ifndef SPION_KERNELS_ATTENTION_MAP_CUDA_HOPPER_LAUNCH_CUH_
#define SPION_KERNELS_ATTENTION_MAP_CUDA_HOPPER_LAUNCH_CUH_

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>

#include "spion/kernels/attention_map/cuda/hopper/mean_map.cuh"
#include "spion/kernels/attention_map/cuda/hopper/row_statistics.cuh"
#include "spion/kernels/cuda_hopper/tile_map.h"
#include "spion/kernels/cuda_launch/device_attribute.h"
#include "spion/kernels/cuda_launch/overlap.h"
#include "spion/kernels/cuda_launch/shared_memory.h"

namespace spion::cuda::hopper {

template <int kHeadDim, typename T>
cudaError_t LaunchMapOf(const AttentionMapCall<T>& call, cudaStream_t stream) {
  const auto statistics = MapStatisticsKernel<T, kHeadDim>;
  const auto map = MeanMapKernel<T, kHeadDim>;
  constexpr int kStatisticsBytes = MapStatisticsTraits<kHeadDim>::kSharedBytes;
  constexpr int kMapBytes = MeanMapTraits<kHeadDim>::kSharedBytes;
  const TileMapSizes sizes = {call.batch, call.heads, call.length, call.head_dim};
  MapArguments<T> arguments = {.call = call};
  int multiprocessors = 0;
  cudaError_t error = MakeTileMap(call.q, sizes, kMapQueries, arguments.q);
  if (error == cudaSuccess) error = MakeTileMap(call.k, sizes, kMapKeys, arguments.k);
  if (error == cudaSuccess) error = AllowSharedMemory(statistics, kStatisticsBytes, 0);
  if (error == cudaSuccess) error = AllowSharedMemory(map, kMapBytes, 0);
  if (error == cudaSuccess) error = CountMultiprocessors(multiprocessors);
  if (error != cudaSuccess) return error;
  const auto parts_of = [&](int64_t part) {
    return static_cast<uint32_t>((call.length + part - 1) / part);
  };
  const uint32_t row_blocks = parts_of(kMapQueries);
  const auto staying = static_cast<unsigned>(
      std::min<int64_t>(call.batch * call.heads * row_blocks, multiprocessors));
  statistics<<<staying, kMapThreads, kStatisticsBytes, stream>>>(arguments);
  error = cudaGetLastError();
  if (error != cudaSuccess) return error;
  return StartKernel(map, dim3(parts_of(kMapKeys), row_blocks), kMapThreads, kMapBytes, stream,
                     /*overlaps=*/true, arguments);
}

template <typename T>
cudaError_t LaunchMapAs(const AttentionMapCall<T>& call, cudaStream_t stream) {
  if (call.head_dim == 64) return LaunchMapOf<64>(call, stream);
  if (call.head_dim == 128) return LaunchMapOf<128>(call, stream);
  return cudaErrorInvalidValue;
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_ATTENTION_MAP_CUDA_HOPPER_LAUNCH_CUH_
