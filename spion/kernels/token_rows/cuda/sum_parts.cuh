// The second launch of a sum: adds up what each thread block of the first has left, in order.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_SUM_PARTS_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_SUM_PARTS_CUH_

#include <cstdint>

#include "spion/kernels/cuda_tiles/instructions.cuh"

namespace spion::cuda {

constexpr int kPartColumns = 32;  // of a thread block
constexpr int kPartSlices = 32;

struct SamePlace {
  static constexpr __host__ __device__ int Of(int column) { return column; }
};

/// sums[Place::Of(c)] = sum over p of parts[p][c]; `columns` is a multiple of 32.
/// Grid: columns / kPartColumns thread blocks of kPartColumns * kPartSlices.
template <class Place>
__global__ void __launch_bounds__(kPartColumns* kPartSlices)
    SumPartsKernel(const float* parts, int32_t count, int32_t columns, float* sums) {
  __shared__ float buffer[kPartSlices][kPartColumns];
  const uint32_t column = threadIdx.x % kPartColumns;
  const uint32_t slice = threadIdx.x / kPartColumns;
  const int64_t first = int64_t{blockIdx.x} * kPartColumns + column;
  tiles::WaitForKernelBefore();
  tiles::LetNextKernelStart();
  float sum = 0;
  for (auto part = static_cast<int32_t>(slice); part < count; part += kPartSlices) {
    sum += parts[first + int64_t{part} * columns];
  }
  buffer[slice][column] = sum;
  __syncthreads();  // the slices' sums are in the buffer before the first slice adds them up
  if (slice > 0) return;
  for (int other = 1; other < kPartSlices; ++other) sum += buffer[other][column];
  sums[Place::Of(static_cast<int>(first))] = sum;
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_SUM_PARTS_CUH_
