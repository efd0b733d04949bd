// A thread's place in its warp, and values that threads exchange. The layout is math.cuh's.
#ifndef SPION_KERNELS_CUDA_TILES_LANES_CUH_
#define SPION_KERNELS_CUDA_TILES_LANES_CUH_

#include "spion/kernels/cuda_tiles/instructions.cuh"

namespace spion::tiles {

__device__ __forceinline__ int LaneGroup() { return static_cast<int>(threadIdx.x) % 32 / 4; }
__device__ __forceinline__ int LaneInGroup() { return static_cast<int>(threadIdx.x) % 4; }

/// The sum, the maximum over the four threads of a row.
__device__ __forceinline__ float RowSum(float value) {
  value += __shfl_xor_sync(kAllLanes, value, 1);
  return value + __shfl_xor_sync(kAllLanes, value, 2);
}
__device__ __forceinline__ float RowMax(float value) {
  value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, 1));
  return fmaxf(value, __shfl_xor_sync(kAllLanes, value, 2));
}

/// A value that lane group g holds for rows g (x) and g + 8 (y), for the four columns of a thread's
/// scores: columns 2 c, 2 c + 1, 8 + 2 c, 8 + 2 c + 1.
__device__ __forceinline__ void RowsToColumns(float2 of_rows, float (&of_columns)[2][2]) {
  const int first = 8 * LaneInGroup();  // a lane of group 2 c
  of_columns[0][0] = __shfl_sync(kAllLanes, of_rows.x, first);
  of_columns[0][1] = __shfl_sync(kAllLanes, of_rows.x, first + 4);
  of_columns[1][0] = __shfl_sync(kAllLanes, of_rows.y, first);
  of_columns[1][1] = __shfl_sync(kAllLanes, of_rows.y, first + 4);
}

}  // namespace spion::tiles

#endif  // SPION_KERNELS_CUDA_TILES_LANES_CUH_
