// What comes before one_pass.cuh: a kernel that makes D = dO . O and log2 Z of every row and clears
// the counters.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ONE_PASS_STATISTICS_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ONE_PASS_STATISTICS_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/hopper/one_pass_traits.cuh"
#include "spion/kernels/block_sparse/cuda/hopper/store_statistics.cuh"

namespace spion::cuda::hopper {

/// The grid has a thread block for each kStatisticsRows of B H L.
template <typename T, int kHeadDim>
__global__ void __launch_bounds__(kStatisticsThreads)
    OnePassStatisticsKernel(const __grid_constant__ OnePassArguments<T> arguments) {
  const BlockSparseBackward<T>& call = arguments.call;
  const int64_t counter = int64_t{blockIdx.x} * kStatisticsThreads + threadIdx.x;
  if (counter < OnePassCounters(call.problem)) arguments.exchange.counters[counter] = 0;
  StoreStatistics<T, kHeadDim>(call, arguments.statistics);
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_ONE_PASS_STATISTICS_CUH_
